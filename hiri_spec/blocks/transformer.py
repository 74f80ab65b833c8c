"""Transformer block: multi-head attention, then a (convolutional) feed-forward network."""

from typing import Literal, Self

from pydantic import Field, model_validator

from ..block import Block, NormName, OddInt, Positive, PositiveFloat, check_heads, register, reject
from ..feature_map import FeatureMap
from .cffn import wire_cffn
from .ffn import wire_ffn


@register
class Transformer(Block):
    """Global attention and a feed-forward network, each with its residual.

    `reduction` > 1 shortens keys and values by a convolution of that kernel and stride, as in PVT (Wang et al. 2021);
    sizes that it does not divide are padded. `pool` takes them from a grid of that many cells a side instead, as in
    PVTv2's linear attention (Wang et al. 2022), which also puts a ReLU before the depthwise convolution.
    """

    block: Literal["transformer"] = "transformer"
    norm: NormName = Field("layer", description="Normalisation before attention.")
    heads: Positive = Field(description="Attention heads; they must divide the width.")
    reduction: Positive = Field(1, description="Stride of the reduction of keys and values; 1 for none.")
    pool: Positive | None = Field(None, description="Side of the grid that keys and values are pooled to, if any.")
    mlp: Literal["cffn", "ffn"] = Field("cffn", description="The feed-forward network after attention.")
    mlp_norm: NormName = Field("batch", description="Normalisation before the feed-forward network.")
    expansion: PositiveFloat = Field(4, description="Hidden width of the feed-forward network over width.")
    kernel: OddInt = Field(3, description="Side of the depthwise convolution in a cffn.")

    @model_validator(mode="after")
    def check_fields(self) -> Self:
        check_heads(self.width, self.heads)
        if self.pool is not None and self.reduction > 1:
            reject(
                "pool", "either_or", f"{self.pool} beside reduction={self.reduction}; keep one of the two", self.pool
            )
        return self

    def wire(self, x: FeatureMap) -> FeatureMap:
        with x.scope("attention"):
            y = x.norm(self.norm, name="norm")
            source = self._shorten(y)
            query = y.conv(x.channels, 1, name="query")
            key, value = source.conv(x.channels, 1, name="key"), source.conv(x.channels, 1, name="value")
            y = query.attend(key, value, heads=self.heads, name="attend").conv(x.channels, 1, name="project")
            x = x.residual(y, layer_scale=self.layer_scale)
        with x.scope("mlp"):
            if self.mlp == "ffn":
                return wire_ffn(
                    x,
                    expansion=self.expansion,
                    norm=self.mlp_norm,
                    activation=self.activation,
                    layer_scale=self.layer_scale,
                )
            return wire_cffn(
                x,
                expansion=self.expansion,
                kernel=self.kernel,
                norm=self.mlp_norm,
                activation=self.activation,
                layer_scale=self.layer_scale,
                has_relu=self.pool is not None,
            )

    def _shorten(self, x: FeatureMap) -> FeatureMap:
        """What keys and values are taken from."""
        if self.pool is not None:
            y = x.adaptive_pool(self.pool, name="pool").conv(x.channels, 1, name="reduce")
            return y.norm(self.norm, eps=1e-5, name="reduce_norm").act(self.activation, name="reduce_act")
        if self.reduction == 1:
            return x
        y = x.pad_to_multiple(self.reduction, name="pad")
        y = y.conv(x.channels, self.reduction, stride=self.reduction, padding=0, bias=True, name="reduce")
        return y.norm(self.norm, eps=1e-5, name="reduce_norm")
