"""Primitive operation → torch module. The only file that says which module computes an operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch

from timm.layers import DropPath, LayerScale2d
from torch import Tensor, nn

from .. import ops
from ..graph import Op
from .attention import ChannelAttention, DotProductAttention, WindowAttention
from .norm import LayerNorm
from .resampling import AdaptivePool, GlobalPool, Pad, Roll, Upsample, crop

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
    return nn.BatchNorm2d(op.channels, eps=op.eps) if op.norm == "batch" else LayerNorm(op.channels, eps=op.eps)


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
def _(op: ops.WindowAttention, rates: Rates) -> nn.Module:
    return WindowAttention(op.heads, op.window, has_bias=op.has_bias, is_shifted=op.is_shifted)


@realise.register
def _(op: ops.ChannelAttention, rates: Rates) -> nn.Module:
    return ChannelAttention(op.heads)


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


@realise.register
def _(op: ops.AdaptivePool, rates: Rates) -> nn.Module:
    return AdaptivePool(op.side)


@realise.register
def _(op: ops.Crop, rates: Rates) -> Realised:
    return crop


@realise.register
def _(op: ops.Roll, rates: Rates) -> nn.Module:
    return Roll(op.steps, op.window)


@realise.register
def _(op: ops.SpaceToDepth, rates: Rates) -> nn.Module:
    return nn.PixelUnshuffle(op.size)


def add(x: Tensor, *others: Tensor) -> Tensor:
    """Sum of maps of one shape."""
    for other in others:
        x = x + other
    return x
