"""HR-stem: the two-branch stem of HIRI-ViT."""

from typing import Literal

from pydantic import Field

from ..block import Activation, Positive, Stem, register
from ..feature_map import FeatureMap


@register
class HRStem(Stem):
    """3x3 stride 2, then a high branch (depthwise 3x3, 3x3 stride 2) plus a low one (3x3 stride 2, 3x3, 1x1)."""

    stem: Literal["hr"] = "hr"
    width: Positive = Field(description="Channels inside the stem; its output is as wide as the first stage.")
    activation: Activation = "gelu"

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        x = x.conv(self.width, 3, stride=2, name="conv").norm(self.norm, name="norm").act(self.activation, name="act")
        with x.scope("high"):
            high = x.depthwise(3, name="mix").norm(self.norm, name="norm")
            high = high.conv(channels, 3, stride=2, name="reduce")
        with x.scope("low"):
            low = x.conv(self.width, 3, stride=2, name="reduce").norm(self.norm, name="norm1")
            low = low.act(self.activation, name="act1").conv(self.width, 3, name="conv")
            low = low.norm(self.norm, name="norm2").act(self.activation, name="act2")
            low = low.conv(channels, 1, name="project")
        return (high + low).norm(self.norm, name="sum_norm")
