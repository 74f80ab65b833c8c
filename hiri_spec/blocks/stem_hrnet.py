"""HRNet's stem with its first stage of bottlenecks (Wang et al. 2020)."""

from typing import ClassVar, Literal

from pydantic import Field

from ..block import Positive, Stem, register
from ..feature_map import FeatureMap
from .residual import conv_norm_act, wire_bottleneck


@register
class HRNetStem(Stem):
    """Two 3x3 of stride 2, then bottlenecks; its output, four times `inner` wide, goes into the first add_stream."""

    has_own_width: ClassVar[bool] = True

    stem: Literal["hrnet"] = "hrnet"
    width: Positive = Field(64, description="Channels of the first convolution.")
    inner: Positive = Field(64, description="Channels inside the bottlenecks.")
    depth: Positive = Field(4, description="Number of bottlenecks.")

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        x = conv_norm_act(x, self.width, 3, stride=2, number="1")
        x = conv_norm_act(x, 64, 3, stride=2, number="2")
        for index in range(self.depth):
            with x.scope(f"block{index}"):
                x = wire_bottleneck(x, self.inner)
        return x
