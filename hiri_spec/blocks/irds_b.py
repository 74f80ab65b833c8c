"""IRDS-b: inverted residual downsampling for the later stages (HIRI-ViT)."""

from typing import Literal

from pydantic import Field

from ..block import Activation, Downsample, PositiveFloat, register
from ..feature_map import FeatureMap, make_divisible


@register
class IRDSb(Downsample):
    """1x1 that expands, strided depthwise 3x3, 1x1 that projects; shortcut: average pool and 1x1.

    Norm and activation stand after the first convolution only.
    """

    downsample: Literal["irds_b"] = "irds_b"
    expansion: PositiveFloat = Field(4, description="Hidden width over the input's width.")
    activation: Activation = "gelu"

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        hidden = make_divisible(x.channels * self.expansion)
        y = x.conv(hidden, 1, name="expand").norm(self.norm, name="norm").act(self.activation, name="act")
        y = y.depthwise(3, stride=2, name="reduce").conv(channels, 1, name="project")
        with x.scope("shortcut"):
            shortcut = x.average_pool(2, name="pool").conv(channels, 1, name="conv")
        return shortcut + y
