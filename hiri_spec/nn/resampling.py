"""The modules that change the height and width of a map, or move its positions about."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .sizes import is_open


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


class AdaptivePool(nn.AdaptiveAvgPool2d):
    """Mean over a grid of cells of (B, C, H, W) maps, (B, C, side, side)."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if not is_open(height, width):
            out: Tensor = super().forward(x)
            return out
        side = cast(int, self.output_size)
        # ONNX has no such pooling of maps of any size: two products with what each position gives to each cell
        return cell_shares(height, side, x) @ x @ cell_shares(width, side, x).t()


def cell_shares(length: int, count: int, like: Tensor) -> Tensor:
    """What each position gives to the mean of each cell, (count, length); cell i is from ⌊i L / n⌋ to ⌈(i+1) L / n⌉."""
    place = torch.arange(length, device=like.device)
    cell = torch.arange(count, device=like.device)[:, None]
    inside = ((place + 1) * count > cell * length) & (place * count < (cell + 1) * length)
    share = inside.to(like.dtype)
    return share / share.sum(1, keepdim=True)


class Pad(nn.Module):
    """Zeros at the right and the bottom until both sides are multiples."""

    def __init__(self, multiple: int) -> None:
        super().__init__()
        self.multiple = multiple

    def forward(self, x: Tensor) -> Tensor:
        # As the size it comes to, so that an open side is known to be so many multiples; and without negative numbers,
        # as ONNX divides those towards zero.
        height, width = x.shape[-2:]
        down = (height + self.multiple - 1) // self.multiple * self.multiple
        across = (width + self.multiple - 1) // self.multiple * self.multiple
        return F.pad(x, (0, across - width, 0, down - height))

    def extra_repr(self) -> str:
        return f"multiple={self.multiple}"


class Roll(nn.Module):
    """Move a map up and left by `steps`, round the ends; a side of one window or less stays."""

    def __init__(self, steps: int, window: int) -> None:
        super().__init__()
        self.steps = steps
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        if is_open(*x.shape[-2:]):
            return self._roll_open(self._roll_open(x, -2), -1)
        sides = [dimension for dimension in (-2, -1) if x.shape[dimension] > self.window]
        return torch.roll(x, [-self.steps] * len(sides), sides) if sides and self.steps else x

    def _roll_open(self, x: Tensor, dimension: int) -> Tensor:
        """Roll a side of open length: whether it is one window is asked by a tensor, not by a branch."""
        last = torch.arange(x.shape[dimension], device=x.device)[-1]
        return torch.where(last < self.window, x, torch.roll(x, -self.steps, dimension))

    def extra_repr(self) -> str:
        return f"steps={self.steps}, window={self.window}"


def crop(x: Tensor, like: Tensor) -> Tensor:
    """The upper left part of a map, as large as another; a copy of its own, so that the whole can go."""
    height, width = like.shape[-2:]
    if is_open(height, width):  # no question whether there is something to crop
        return x.narrow(-2, 0, height).narrow(-1, 0, width).clone(memory_format=torch.contiguous_format)
    return x[..., :height, :width].contiguous()
