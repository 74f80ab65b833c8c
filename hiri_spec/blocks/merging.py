"""Swin's patch merging: four positions become one (Liu et al. 2021)."""

from typing import Literal

from ..block import Downsample, Norm, register
from ..feature_map import FeatureMap


@register
class Merging(Downsample):
    """Each 2x2 positions laid over one another, a norm, a 1x1 convolution without bias."""

    downsample: Literal["merging"] = "merging"
    norm: Norm = "layer"

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        y = x.pad_to_multiple(2, name="pad").space_to_depth(2, name="merge").norm(self.norm, eps=1e-5, name="norm")
        return y.conv(channels, 1, bias=False, name="reduce")
