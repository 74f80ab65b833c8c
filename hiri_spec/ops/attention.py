"""Attention over positions, over the positions of windows, and over channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph import Op, Shape


@dataclass(slots=True, unsafe_hash=True)
class Attention(Op):
    """softmax(q kᵀ / √d) v over the positions of query, key and value maps; both products are counted."""

    heads: int
    kind: ClassVar[str] = "attention"
    saves_inputs: ClassVar[bool] = True
    saves_output: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        query, _, value = inputs
        return value[0], query[1], query[2]

    def macs(self, output: Shape, *inputs: Shape) -> int:
        query, key, value = inputs
        queries, keys = query[1] * query[2], key[1] * key[2]
        return queries * keys * (query[0] + value[0])

    def saved_extra(self, output: Shape, *inputs: Shape) -> int:
        return self.heads * output[1] * output[2]


@dataclass(slots=True, unsafe_hash=True)
class WindowAttention(Op):
    """Attention within windows of w x w positions (Swin, Liu et al. 2021); sides must be multiples of w.

    `has_bias`: a learned bias for each head and relative position, (2w - 1)² in all. `is_shifted`: the map has been
    rolled, so that positions from different ends of it don't see each other.
    """

    heads: int
    window: int
    has_bias: bool
    is_shifted: bool
    kind: ClassVar[str] = "window_attention"
    saves_inputs: ClassVar[bool] = True

    @property
    def label(self) -> str:
        return "window attention"

    def output_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if shape[1] % self.window or shape[2] % self.window:
            raise ValueError(f"a map of {shape} does not divide into windows of {self.window}")
        return shape

    def params(self) -> int:
        return (2 * self.window - 1) ** 2 * self.heads if self.has_bias else 0

    def tensors(self) -> dict[str, Shape]:
        return {"bias": ((2 * self.window - 1) ** 2, self.heads)} if self.has_bias else {}

    def macs(self, output: Shape, *inputs: Shape) -> int:
        channels, height, width = output
        return 2 * height * width * self.window**2 * channels

    def saved_extra(self, output: Shape, *inputs: Shape) -> int:
        channels, height, width = output
        if self.has_bias or self.is_shifted:  # the unfused products: what softmax returns
            return self.heads * height * width * self.window**2
        return (
            channels * height * width + self.heads * height * width
        )  # the windows' output, and a statistic of each row


@dataclass(slots=True, unsafe_hash=True)
class ChannelAttention(Op):
    """softmax(k vᵀ / √d) q, each head's d channels attending to one another (DaViT, Ding et al. 2022)."""

    heads: int
    kind: ClassVar[str] = "channel_attention"
    saves_inputs: ClassVar[bool] = True

    @property
    def label(self) -> str:
        return "channel attention"

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def macs(self, output: Shape, *inputs: Shape) -> int:
        channels, height, width = output
        return 2 * height * width * channels * (channels // self.heads)

    def saved_extra(self, output: Shape, *inputs: Shape) -> int:
        return output[0] * (output[0] // self.heads)
