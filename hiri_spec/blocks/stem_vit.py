"""ViT-stem: one large strided convolution."""

from typing import Literal

from ..block import Norm, Stem, register
from ..feature_map import FeatureMap


@register
class ViTStem(Stem):
    """One 7x7 convolution of stride 4, then a norm."""

    stem: Literal["vit"] = "vit"
    norm: Norm = "layer"

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        return x.conv(channels, 7, stride=4, name="conv").norm(self.norm, name="norm")
