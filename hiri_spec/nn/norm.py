"""Layer norm over the channels of maps and of vectors."""

from __future__ import annotations

import torch.nn.functional as F
from timm.layers import LayerNorm2d
from torch import Tensor


class LayerNorm(LayerNorm2d):
    """Over the channels of each position of a (B, C, H, W) map, or of a (B, C) vector."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 2:
            return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        out: Tensor = super().forward(x)
        return out
