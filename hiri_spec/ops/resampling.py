"""What changes the height and width of a map, or moves its positions about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph import Op, Shape


def divide_up(value: int, divisor: int) -> int:
    """Integer division, rounded up."""
    return -(-value // divisor)


@dataclass(slots=True, unsafe_hash=True)
class Upsample(Op):
    """Repeat each position `scale` times a side, then crop to the size of the second input."""

    scale: int
    kind: ClassVar[str] = "upsample"

    def output_shape(self, *inputs: Shape) -> Shape:
        low, like = inputs
        if low[1] * self.scale < like[1] or low[2] * self.scale < like[2]:
            raise ValueError(f"a map of {low} upsampled x{self.scale} does not cover {like}")
        return low[0], like[1], like[2]


@dataclass(slots=True, unsafe_hash=True)
class AveragePool(Op):
    """Mean over windows of `size` x `size`, partial windows at the border included (`ceil_mode`)."""

    size: int
    kind: ClassVar[str] = "average_pool"
    saves_inputs: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        channels, height, width = inputs[0]
        return channels, divide_up(height, self.size), divide_up(width, self.size)


@dataclass(slots=True, unsafe_hash=True)
class GlobalPool(Op):
    """Mean over all positions, (C, H, W) → (C,)."""

    kind: ClassVar[str] = "global_pool"

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0][:1]


@dataclass(slots=True, unsafe_hash=True)
class Pad(Op):
    """Zeros at the right and the bottom until both sides are multiples of `multiple`."""

    multiple: int
    kind: ClassVar[str] = "pad"

    def output_shape(self, *inputs: Shape) -> Shape:
        channels, height, width = inputs[0]
        step = self.multiple
        return channels, divide_up(height, step) * step, divide_up(width, step) * step


@dataclass(slots=True, unsafe_hash=True)
class AdaptivePool(Op):
    """Mean over a grid of `side` x `side` cells, whatever the size of the map."""

    side: int
    kind: ClassVar[str] = "adaptive_pool"
    saves_inputs: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0][0], self.side, self.side


@dataclass(slots=True, unsafe_hash=True)
class Crop(Op):
    """The upper left part of a map, as large as the second input."""

    kind: ClassVar[str] = "crop"
    is_module: ClassVar[bool] = False

    def output_shape(self, *inputs: Shape) -> Shape:
        whole, like = inputs
        return whole[0], like[1], like[2]


@dataclass(slots=True, unsafe_hash=True)
class Roll(Op):
    """Move a map up and left by `steps`, what leaves it coming back at the other end, or down and right if negative.

    A side of one `window` or less stays where it is.
    """

    steps: int
    window: int
    kind: ClassVar[str] = "roll"

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


@dataclass(slots=True, unsafe_hash=True)
class SpaceToDepth(Op):
    """Lay each `size` x `size` positions over one another as channels; sides must be multiples of `size`."""

    size: int
    kind: ClassVar[str] = "space_to_depth"

    def output_shape(self, *inputs: Shape) -> Shape:
        channels, height, width = inputs[0]
        return channels * self.size**2, height // self.size, width // self.size
