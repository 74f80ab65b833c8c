"""Conv-stem: a stack of 3x3 convolutions (Xiao et al. 2021)."""

from typing import Literal

from pydantic import Field

from ..block import Activation, Positive, Stem, register
from ..feature_map import FeatureMap


@register
class ConvStem(Stem):
    """3x3 stride 2, two 3x3, 3x3 stride 2: stride 4 in all."""

    stem: Literal["conv"] = "conv"
    width: Positive = Field(description="Channels inside the stem; its output is as wide as the first stage.")
    activation: Activation = "gelu"

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        for index, stride in enumerate((2, 1, 1), start=1):
            x = x.conv(self.width, 3, stride=stride, name=f"conv{index}").norm(self.norm, name=f"norm{index}")
            x = x.act(self.activation, name=f"act{index}")
        return x.conv(channels, 3, stride=2, name="conv4").norm(self.norm, name="norm4")
