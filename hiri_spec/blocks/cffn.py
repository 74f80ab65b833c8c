"""Convolutional feed-forward block (HIRI-ViT)."""

from typing import Literal

from pydantic import Field

from ..block import Block, NormName, OddInt, PositiveFloat, register
from ..feature_map import FeatureMap, make_divisible


def wire_cffn(
    x: FeatureMap,
    *,
    expansion: float,
    kernel: int,
    norm: NormName,
    activation: str,
    layer_scale: float | None,
    has_relu: bool = False,
) -> FeatureMap:
    """Norm, expand, depthwise mix, activation, project, residual; also the second half of a Transformer block."""
    y = x.norm(norm, name="norm").conv(make_divisible(x.channels * expansion), 1, name="expand")
    if has_relu:
        y = y.act("relu", name="relu")
    y = y.depthwise(kernel, bias=True, name="mix").act(activation, name="act").conv(x.channels, 1, name="project")
    return x.residual(y, layer_scale=layer_scale)


@register
class CFFN(Block):
    """Convolutional feed-forward network: expand, depthwise mix, activation, project, with the residual."""

    block: Literal["cffn"] = "cffn"
    expansion: PositiveFloat = Field(4, description="Hidden width over width.")
    kernel: OddInt = Field(3, description="Side of the depthwise convolution.")

    def wire(self, x: FeatureMap) -> FeatureMap:
        return wire_cffn(
            x,
            expansion=self.expansion,
            kernel=self.kernel,
            norm=self.norm,
            activation=self.activation,
            layer_scale=self.layer_scale,
        )
