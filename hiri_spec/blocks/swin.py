"""Swin's two layers: attention in windows, then in windows shifted by half of one (Liu et al. 2021)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from ..block import Block, Norm, Positive, PositiveFloat, check_heads, register
from ..feature_map import FeatureMap
from .ffn import wire_ffn

EPS = 1e-5


def wire_window_attention(
    x: FeatureMap, *, norm: str, heads: int, window: int, has_bias: bool, shift: int
) -> FeatureMap:
    """Norm, roll by `shift`, pad to whole windows, attend in each, project, and back: the branch of a residual.

    What is padded is attended to, as in both Swin's and DaViT's published networks.
    """
    y = x.norm(norm, eps=EPS, name="norm")
    if shift:
        y = y.roll(shift, window=window, name="roll")
    whole = y.pad_to_multiple(window, name="pad")
    query, key, value = (whole.conv(x.channels, 1, name=name) for name in ("query", "key", "value"))
    out = query.attend_in_windows(
        key, value, heads=heads, window=window, has_bias=has_bias, is_shifted=shift > 0, name="attend"
    )
    out = out.conv(x.channels, 1, name="project").crop(like=x, name="crop")
    return out.roll(-shift, window=window, name="roll_back") if shift else out


@register
class Swin(Block):
    """A pair of Transformer layers with attention in windows, in the second shifted; learned relative positions."""

    block: Literal["swin"] = "swin"
    norm: Norm = "layer"
    heads: Positive = Field(description="Attention heads; they must divide the width.")
    window: Positive = Field(7, description="Side of a window.")
    expansion: PositiveFloat = Field(4, description="Hidden width of the feed-forward networks over width.")

    @model_validator(mode="after")
    def check_fields(self) -> Self:
        check_heads(self.width, self.heads)
        return self

    def wire(self, x: FeatureMap) -> FeatureMap:
        for name, shift in (("straight", 0), ("shifted", self.window // 2)):
            with x.scope(name):
                with x.scope("attention"):
                    y = wire_window_attention(
                        x, norm=self.norm, heads=self.heads, window=self.window, has_bias=True, shift=shift
                    )
                    x = x.residual(y, layer_scale=self.layer_scale)
                with x.scope("mlp"):
                    x = wire_ffn(
                        x,
                        expansion=self.expansion,
                        norm=self.norm,
                        activation=self.activation,
                        layer_scale=self.layer_scale,
                        eps=EPS,
                    )
        return x
