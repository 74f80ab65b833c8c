"""DaViT's dual attention: over the positions of windows, then over channels (Ding et al. 2022)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from ..block import Block, Norm, OddInt, Positive, PositiveFloat, check_heads, register
from ..feature_map import FeatureMap
from .ffn import wire_ffn
from .swin import EPS, wire_window_attention


def wire_channel_attention(x: FeatureMap, *, norm: str, heads: int) -> FeatureMap:
    """Norm, attention of channels to channels, project: the branch of a residual."""
    y = x.norm(norm, eps=EPS, name="norm")
    query, key, value = (y.conv(x.channels, 1, name=name) for name in ("query", "key", "value"))
    return query.attend_over_channels(key, value, heads=heads, name="attend").conv(x.channels, 1, name="project")


@register
class DaViT(Block):
    """A layer with attention in windows and one with attention over channels, positions told by convolutions."""

    block: Literal["davit"] = "davit"
    norm: Norm = "layer"
    heads: Positive = Field(description="Attention heads, of both kinds; they must divide the width.")
    window: Positive = Field(7, description="Side of a window.")
    expansion: PositiveFloat = Field(4, description="Hidden width of the feed-forward networks over width.")
    kernel: OddInt = Field(3, description="Side of the convolutions that encode positions.")

    @model_validator(mode="after")
    def check_fields(self) -> Self:
        check_heads(self.width, self.heads)
        return self

    def wire(self, x: FeatureMap) -> FeatureMap:
        for kind in ("spatial", "channel"):
            with x.scope(kind):
                x = x + x.depthwise(self.kernel, bias=True, name="position1")
                with x.scope("attention"):
                    if kind == "spatial":
                        y = wire_window_attention(
                            x, norm=self.norm, heads=self.heads, window=self.window, has_bias=False, shift=0
                        )
                    else:
                        y = wire_channel_attention(x, norm=self.norm, heads=self.heads)
                    x = x.residual(y, layer_scale=self.layer_scale)
                x = x + x.depthwise(self.kernel, bias=True, name="position2")
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
