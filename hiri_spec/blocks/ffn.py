"""Plain feed-forward block (Vaswani et al. 2017), without a convolution."""

from typing import Literal

from pydantic import Field

from ..block import Block, Norm, NormName, PositiveFloat, register
from ..feature_map import FeatureMap, make_divisible


def wire_ffn(
    x: FeatureMap,
    *,
    expansion: float,
    norm: NormName,
    activation: str,
    layer_scale: float | None,
    eps: float = 1e-6,
) -> FeatureMap:
    """Norm, expand, activation, project, residual; also the second half of a Transformer block."""
    y = x.norm(norm, eps=eps, name="norm").conv(make_divisible(x.channels * expansion), 1, name="expand")
    y = y.act(activation, name="act").conv(x.channels, 1, name="project")
    return x.residual(y, layer_scale=layer_scale)


@register
class FFN(Block):
    """Feed-forward network on each position: expand, activation, project, with the residual."""

    block: Literal["ffn"] = "ffn"
    norm: Norm = "layer"
    expansion: PositiveFloat = Field(4, description="Hidden width over width.")

    def wire(self, x: FeatureMap) -> FeatureMap:
        return wire_ffn(
            x, expansion=self.expansion, norm=self.norm, activation=self.activation, layer_scale=self.layer_scale
        )
