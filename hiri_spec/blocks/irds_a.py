"""IRDS-a: inverted residual downsampling for the first, high-resolution stages (HIRI-ViT)."""

from typing import Literal

from pydantic import Field

from ..block import Activation, Downsample, PositiveFloat, register
from ..feature_map import FeatureMap, make_divisible


@register
class IRDSa(Downsample):
    """A strided 3x3 convolution that expands, a 1x1 that shrinks; shortcut: average pool and 1x1."""

    downsample: Literal["irds_a"] = "irds_a"
    expansion: PositiveFloat = Field(6, description="Hidden width over the input's width.")
    activation: Activation = "gelu"

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        hidden = make_divisible(x.channels * self.expansion)
        y = x.conv(hidden, 3, stride=2, name="expand").norm(self.norm, name="norm")
        y = y.act(self.activation, name="act").conv(channels, 1, name="project")
        with x.scope("shortcut"):
            shortcut = x.average_pool(2, name="pool").conv(channels, 1, name="conv")
        return shortcut + y
