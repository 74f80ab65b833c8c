"""The operations that only fused models have, and so are not among the language's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from ...graph import Op, Shape
from ..realise import Rates, realise


@dataclass(slots=True, unsafe_hash=True)
class Narrow(Op):
    """The channels from `start` on, `width` of them: one of several products that became one."""

    start: int
    width: int
    kind: ClassVar[str] = "narrow"
    is_alias: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.width, *inputs[0][1:]


class NarrowModule(nn.Module):
    """A view of some channels of (B, C, H, W) maps."""

    def __init__(self, start: int, width: int) -> None:
        super().__init__()
        self.start = start
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        return x.narrow(1, self.start, self.width)

    def extra_repr(self) -> str:
        return f"start={self.start}, width={self.width}"


@dataclass(slots=True, eq=False)
class Kept(Op):
    """A module that somebody has put in the place of the spec's own; nothing is known of it, so it stays as it is."""

    module: nn.Module
    kind: ClassVar[str] = "kept"

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


@realise.register
def _(op: Narrow, rates: Rates) -> nn.Module:
    return NarrowModule(op.start, op.width)


@realise.register
def _(op: Kept, rates: Rates) -> nn.Module:
    return op.module
