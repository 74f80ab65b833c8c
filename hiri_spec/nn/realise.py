"""Primitive operation → torch module. The only file that says what an operation computes.

Shape legend: B batch, C channels, H height, W width, h heads, d head width, N positions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch

import torch.nn.functional as F
from timm.layers import DropPath, LayerNorm2d, LayerScale2d
from torch import Tensor, nn

from .. import ops
from ..graph import Op

ACTIVATIONS: dict[str, type[nn.Module]] = {"gelu": nn.GELU, "relu": nn.ReLU, "silu": nn.SiLU}
Realised = nn.Module | Callable[..., Tensor]


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates of the random operations of one block."""

    drop_path: float = 0.0
    dropout: float = 0.0


@singledispatch
def realise(op: Op, rates: Rates) -> Realised:
    """Make the module of an operation, or a function where it is plain arithmetic; raises TypeError if unknown."""
    raise TypeError(f"operation {op.kind!r} has no torch realisation; add one to {__name__}")


@realise.register
def _(op: ops.Conv, rates: Rates) -> nn.Module:
    return nn.Conv2d(op.channels_in, op.channels_out, op.kernel, op.stride, op.padding, groups=op.groups, bias=op.bias)


@realise.register
def _(op: ops.Linear, rates: Rates) -> nn.Module:
    return nn.Linear(op.channels_in, op.channels_out, op.bias)


@realise.register
def _(op: ops.Norm, rates: Rates) -> nn.Module:
    return nn.BatchNorm2d(op.channels) if op.norm == "batch" else LayerNorm2d(op.channels, eps=1e-6)


@realise.register
def _(op: ops.Activation, rates: Rates) -> nn.Module:
    return ACTIVATIONS[op.activation]()


@realise.register
def _(op: ops.Add, rates: Rates) -> Realised:
    return add


@realise.register
def _(op: ops.LayerScale, rates: Rates) -> nn.Module:
    return LayerScale2d(op.channels, op.initial)


@realise.register
def _(op: ops.DropPath, rates: Rates) -> nn.Module:
    return DropPath(rates.drop_path)


@realise.register
def _(op: ops.Dropout, rates: Rates) -> nn.Module:
    return nn.Dropout(rates.dropout)


@realise.register
def _(op: ops.Attention, rates: Rates) -> nn.Module:
    return DotProductAttention(op.heads)


@realise.register
def _(op: ops.Upsample, rates: Rates) -> nn.Module:
    return Upsample(op.scale)


@realise.register
def _(op: ops.AveragePool, rates: Rates) -> nn.Module:
    return nn.AvgPool2d(op.size, ceil_mode=True, count_include_pad=False)


@realise.register
def _(op: ops.GlobalPool, rates: Rates) -> nn.Module:
    return GlobalPool()


@realise.register
def _(op: ops.Pad, rates: Rates) -> nn.Module:
    return Pad(op.multiple)


def add(x: Tensor, *others: Tensor) -> Tensor:
    """Sum of maps of one shape."""
    for other in others:
        x = x + other
    return x


class DotProductAttention(nn.Module):
    """softmax(q kᵀ / √d) v over the positions of (B, C, H, W) maps, per head."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        height, width = query.shape[-2:]
        # (B, C, H, W) -> (B, N, C) -> (B, h, N, d). Contiguous positions (free in channels-last) keep torch on its
        # fused kernel; from strided ones it falls back to the unfused products, measured 4.6 times slower on CPU.
        per_head = [
            x.flatten(2).transpose(1, 2).contiguous().unflatten(2, (self.heads, -1)).transpose(1, 2)
            for x in (query, key, value)
        ]
        out = F.scaled_dot_product_attention(*per_head)
        return out.transpose(1, 2).flatten(2).transpose(1, 2).unflatten(2, (height, width))

    def extra_repr(self) -> str:
        return f"heads={self.heads}"


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
    """Mean over all positions, (B, C, H, W) → (B, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((-2, -1))


class Pad(nn.Module):
    """Zeros at the right and the bottom until both sides are multiples."""

    def __init__(self, multiple: int) -> None:
        super().__init__()
        self.multiple = multiple

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, -x.shape[-1] % self.multiple, 0, -x.shape[-2] % self.multiple))

    def extra_repr(self) -> str:
        return f"multiple={self.multiple}"
