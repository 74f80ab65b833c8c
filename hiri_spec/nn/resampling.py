"""The modules that change the height and width of a map, or move its positions about."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Upsample(nn.Module):
    """Repeat each position `scale` times a side, then crop to the size of the second input."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor, like: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=float(self.scale), mode="nearest")
        return x[..., : like.shape[-2], : like.shape[-1]]

    def extra_repr(self) -> str:
        return f"scale={self.scale}"


class GlobalPool(nn.Module):
    """Mean ("avg") or maximum ("max") over all positions, (B, C, H, W) → (B, C)."""

    def __init__(self, pooling: str = "avg") -> None:
        super().__init__()
        self.pooling = pooling

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((-2, -1)) if self.pooling == "avg" else x.amax((-2, -1))

    def extra_repr(self) -> str:
        return f"pooling={self.pooling}"


class Pad(nn.Module):
    """Zeros at the right and the bottom until both sides are multiples."""

    def __init__(self, multiple: int) -> None:
        super().__init__()
        self.multiple = multiple

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, -x.shape[-1] % self.multiple, 0, -x.shape[-2] % self.multiple))

    def extra_repr(self) -> str:
        return f"multiple={self.multiple}"


class Roll(nn.Module):
    """Move a map up and left by `steps`, round the ends; a side of one window or less stays."""

    def __init__(self, steps: int, window: int) -> None:
        super().__init__()
        self.steps = steps
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        sides = [dimension for dimension in (-2, -1) if x.shape[dimension] > self.window]
        return torch.roll(x, [-self.steps] * len(sides), sides) if sides and self.steps else x

    def extra_repr(self) -> str:
        return f"steps={self.steps}, window={self.window}"


def crop(x: Tensor, like: Tensor) -> Tensor:
    """The upper left part of a map, as large as another; a copy of its own, so that the whole can go."""
    return x[..., : like.shape[-2], : like.shape[-1]].contiguous()
