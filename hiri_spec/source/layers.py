"""Primitive operation → the text that makes its module. The only file that says how an operation is written.

What each line makes is what `hiri_spec/nn/realise.py` makes of the same operation; tests hold the two to equal outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from .. import ops
from ..block import Part
from ..graph import Op

NORMS = {"batch": "nn.BatchNorm2d", "layer": "LayerNorm"}
DEFAULT_EPS = {"batch": 1e-5, "layer": 1e-6}
ACTIVATIONS = {"gelu": "nn.GELU", "relu": "nn.ReLU", "silu": "nn.SiLU"}


class Symbol(str):
    """A value that is a name in the written file, such as nn.GELU."""

    __slots__ = ()


RATE = Symbol("rate")
"""The drop path rate of the block at hand, told when it is made."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A place for a value in the text of a class: its values over all uses of the class, and what it is called.

    `is_width`: it counts channels. `form`: how it is written from an argument, such as `{} // 2`.
    """

    name: str
    values: tuple[Any, ...]
    is_width: bool = False
    form: str = "{}"


@dataclass(frozen=True, slots=True)
class Layer:
    """How the module of an operation is made; `function` is called with `arguments`, each with a keyword or ""."""

    function: Hole | str
    arguments: tuple[tuple[str, Hole], ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One operation of a class in each of its uses, with the part of the spec that each use is in."""

    ops: tuple[Any, ...]
    parts: tuple[Part, ...]

    def values(self, name: str) -> tuple[Any, ...]:
        """One of the operation's numbers in each use."""
        return tuple(getattr(op, name) for op in self.ops)


def _width(column: Column, name: str) -> tuple[str, Hole]:
    return "", Hole(name, column.values(name), is_width=True)


def _number(column: Column, name: str, keyword: str = "") -> tuple[str, Hole]:
    return keyword, Hole(name, column.values(name))


def _unless(column: Column, name: str, default: object, *, is_width: bool = False) -> list[tuple[str, Hole]]:
    """A named argument, or none where all uses have torch's default."""
    hole = Hole(name, column.values(name), is_width)
    return [] if set(hole.values) == {default} else [(f"{name}=", hole)]


def _class(column: Column, name: str, classes: dict[str, str]) -> Hole:
    return Hole(name, tuple(Symbol(classes[value]) for value in column.values(name)))


@singledispatch
def layer(op: Op, column: Column) -> Layer | str:
    """How an operation is written: its module, or the sign or function in its place; raises TypeError if unknown."""
    raise TypeError(f"operation {op.kind!r} has no source text; add one to {__name__}")


@layer.register
def _(op: ops.Conv, column: Column) -> Layer | str:
    kernels, paddings = column.values("kernel"), column.values("padding")
    if len(set(kernels)) > 1 and paddings == tuple(kernel // 2 for kernel in kernels):
        padding = [("padding=", Hole("kernel", kernels, form="{} // 2"))]
    else:
        padding = _unless(column, "padding", 0)
    named = [*_unless(column, "stride", 1), *padding, *_unless(column, "groups", 1, is_width=True)]
    widths = _width(column, "channels_in"), _width(column, "channels_out")
    return Layer("nn.Conv2d", (*widths, _number(column, "kernel"), *named, *_unless(column, "bias", True)))


@layer.register
def _(op: ops.Linear, column: Column) -> Layer | str:
    widths = _width(column, "channels_in"), _width(column, "channels_out")
    return Layer("nn.Linear", (*widths, *_unless(column, "bias", True)))


@layer.register
def _(op: ops.Norm, column: Column) -> Layer | str:
    has_default = all(each.eps == DEFAULT_EPS[each.norm] for each in column.ops)
    eps = [] if has_default else [_number(column, "eps", "eps=")]
    return Layer(_class(column, "norm", NORMS), (_width(column, "channels"), *eps))


@layer.register
def _(op: ops.Activation, column: Column) -> Layer | str:
    return Layer(_class(column, "activation", ACTIVATIONS))


@layer.register
def _(op: ops.Add, column: Column) -> Layer | str:
    return "+"


@layer.register
def _(op: ops.LayerScale, column: Column) -> Layer | str:
    return Layer("LayerScale", (_width(column, "channels"), ("", Hole("layer_scale", column.values("initial")))))


@layer.register
def _(op: ops.DropPath, column: Column) -> Layer | str:
    return Layer("DropPath", (("", Hole("drop_path", (RATE,) * len(column.ops))),))


@layer.register
def _(op: ops.Dropout, column: Column) -> Layer | str:
    return Layer(
        "nn.Dropout", (("", Hole("drop_rate", tuple(getattr(part, "drop_rate", 0.0) for part in column.parts))),)
    )


@layer.register
def _(op: ops.Attention, column: Column) -> Layer | str:
    return Layer("DotProductAttention", (_number(column, "heads"),))


@layer.register
def _(op: ops.WindowAttention, column: Column) -> Layer | str:
    named = [_number(column, name, f"{name}=") for name in ("has_bias", "is_shifted")]
    return Layer("WindowAttention", (_number(column, "heads"), _number(column, "window"), *named))


@layer.register
def _(op: ops.ChannelAttention, column: Column) -> Layer | str:
    return Layer("ChannelAttention", (_number(column, "heads"),))


@layer.register
def _(op: ops.Upsample, column: Column) -> Layer | str:
    return Layer("Upsample", (_number(column, "scale"),))


@layer.register
def _(op: ops.AveragePool, column: Column) -> Layer | str:
    always = [(f"{name}=", Hole(name, (value,))) for name, value in (("ceil_mode", True), ("count_include_pad", False))]
    return Layer("nn.AvgPool2d", (_number(column, "size"), *always))


@layer.register
def _(op: ops.GlobalPool, column: Column) -> Layer | str:
    return Layer("GlobalPool")


@layer.register
def _(op: ops.Pad, column: Column) -> Layer | str:
    return Layer("Pad", (_number(column, "multiple"),))


@layer.register
def _(op: ops.AdaptivePool, column: Column) -> Layer | str:
    return Layer("nn.AdaptiveAvgPool2d", (_number(column, "side"),))


@layer.register
def _(op: ops.Crop, column: Column) -> Layer | str:
    return "crop"


@layer.register
def _(op: ops.Roll, column: Column) -> Layer | str:
    return Layer("Roll", (_number(column, "steps"), _number(column, "window")))


@layer.register
def _(op: ops.SpaceToDepth, column: Column) -> Layer | str:
    return Layer("nn.PixelUnshuffle", (_number(column, "size"),))
