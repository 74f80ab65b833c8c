"""DaViT's downsampling: a norm, then 2x2 patches (Ding et al. 2022)."""

from typing import Literal

from ..block import Downsample, Norm, register
from ..feature_map import FeatureMap


@register
class NormConv(Downsample):
    """A norm, then a 2x2 convolution of stride 2."""

    downsample: Literal["norm_conv"] = "norm_conv"
    norm: Norm = "layer"

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        y = x.norm(self.norm, eps=1e-5, name="norm").pad_to_multiple(2, name="pad")
        return y.conv(channels, 2, stride=2, padding=0, bias=True, name="conv")
