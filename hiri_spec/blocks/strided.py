"""Downsampling by a single strided convolution."""

from typing import Literal

from pydantic import Field

from ..block import Downsample, Norm, OddInt, register
from ..feature_map import FeatureMap


@register
class Strided(Downsample):
    """One convolution of stride 2, then a norm; with 3x3 and a layer norm, PVTv2's overlapping patch embedding."""

    downsample: Literal["strided"] = "strided"
    kernel: OddInt = Field(3, description="Side of the convolution.")
    norm: Norm = "layer"

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        return x.conv(channels, self.kernel, stride=2, bias=self.norm == "layer", name="conv").norm(
            self.norm, eps=1e-5, name="norm"
        )
