"""Two-branch high-resolution block (HIRI-ViT)."""

from typing import Literal

from pydantic import Field

from ..block import Block, OddInt, PositiveFloat, register
from ..feature_map import FeatureMap, make_divisible


@register
class HR(Block):
    """High branch: a cheap depthwise convolution at full resolution; low branch: an FFN at half of it."""

    block: Literal["hr"] = "hr"
    expansion: PositiveFloat = Field(4, description="Hidden width of the low branch over width.")
    kernel: OddInt = Field(3, description="Side of the depthwise convolutions.")

    def wire(self, x: FeatureMap) -> FeatureMap:
        with x.scope("high"):
            high = x.depthwise(self.kernel, name="mix")
        with x.scope("low"):
            low = x.depthwise(self.kernel, stride=2, name="reduce").norm(self.norm, name="norm")
            low = low.conv(make_divisible(x.channels * self.expansion), 1, name="expand")
            low = low.act(self.activation, name="act").conv(x.channels, 1, name="project")
            low = low.upsample(2, like=x, name="upsample")
        return x.residual(high + low, layer_scale=self.layer_scale, name="sum")
