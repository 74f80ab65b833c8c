"""ViT-stem: one large strided convolution, whose patches overlap (PVTv2, DaViT) or not (Swin)."""

from typing import Literal

from pydantic import Field

from ..block import Norm, Stem, register
from ..feature_map import FeatureMap


@register
class ViTStem(Stem):
    """One convolution of stride 4, then a norm."""

    stem: Literal["vit"] = "vit"
    kernel: Literal[4, 7] = Field(
        7, description="Side of the convolution: 7 for patches that overlap, 4 for ones that don't."
    )
    norm: Norm = "layer"

    def wire(self, x: FeatureMap, channels: int) -> FeatureMap:
        if self.kernel == 4:
            x = x.pad_to_multiple(4, name="pad")
        padding, has_bias = 3 if self.kernel == 7 else 0, self.norm == "layer"
        y = x.conv(channels, self.kernel, stride=4, padding=padding, bias=has_bias, name="conv")
        return y.norm(self.norm, eps=1e-5, name="norm")
