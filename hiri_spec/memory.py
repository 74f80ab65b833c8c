"""Activation memory of a network, read off its graph: the peak in inference, and what autograd keeps for training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from .block import Part
from .graph import Graph, Shape, Shapes
from .network import chain, trace_part
from .schema import ModelSpec

BYTES = 4
"""Bytes of one float32 value."""


class PartMemory(NamedTuple):
    """Memory of one part, or of several in sequence, for one image, in float32 values.

    `saved` is what autograd keeps besides the input, `saved_once` what it keeps however many images there are, and
    `saved_input` the size of the input if it is kept too (the part before may keep the same tensor already).
    """

    peak: int
    saved: int
    saved_once: int
    saved_input: int
    keeps_output: bool

    def kept_bytes(self, batch: int, *, with_input: bool = True) -> int:
        """Bytes kept for the backward pass of a batch."""
        saved = self.saved + self.saved_input if with_input else self.saved
        return (saved * batch + self.saved_once) * BYTES


def size_of(shape: Shape) -> int:
    """Number of values in a tensor of a shape."""
    size = 1
    for side in shape:
        size *= side
    return size


def peak_values(part: Graph) -> int:
    """Most values alive at once in inference: each tensor lives from its operation to its last reader."""
    owner = list(range(len(part.nodes)))
    last_read = {index: len(part.nodes) for index in part.outputs}
    for index, node in enumerate(part.nodes):
        if node.op.is_alias:
            owner[index] = owner[node.inputs[0]]
        for source in node.inputs:
            last_read[owner[source]] = max(last_read.get(owner[source], 0), index)
    for index in part.outputs:
        last_read[owner[index]] = len(part.nodes)
    ends: dict[int, int] = {}
    alive = peak = 0
    for index, node in enumerate(part.nodes):
        if owner[index] == index:
            size = size_of(node.shape)
            alive += size
            peak = max(peak, alive)
            end = last_read.get(index, index)
            ends[end] = ends.get(end, 0) + size
        alive -= ends.pop(index, 0)
    return peak


def saved_values(part: Graph) -> PartMemory:
    """What autograd keeps of a traced part. A tensor that several operations keep is counted once.

    Drop path is taken as inactive.
    """
    nodes = part.nodes
    owner = list(range(len(nodes)))
    kept: set[int] = set()
    extra = once = 0
    for index, node in enumerate(nodes):
        op = node.op
        extra += op.saved_extra(node.shape, *node.input_shapes)
        once += op.saved_once()
        if op.is_alias:
            owner[index] = owner[node.inputs[0]]
            continue
        if op.saves_inputs:
            kept.update(owner[source] for source in node.inputs)
        if op.saves_output:
            kept.add(index)
    inputs = set(part.inputs)
    return PartMemory(
        peak_values(part),
        extra + sum(size_of(nodes[index].shape) for index in kept - inputs),
        once,
        sum(size_of(nodes[index].shape) for index in kept & inputs),
        all(_is_kept(owner[index], kept, inputs, len(part.outputs)) for index in part.outputs),
    )


def _is_kept(index: int, kept: set[int], inputs: set[int], streams: int) -> bool:
    """Whether an output is kept by its own part, or is a stream passed on that the part before has kept."""
    return index not in inputs and index in kept if streams == 1 else index in kept or index in inputs


@lru_cache(maxsize=16384)
def part_memory(part: Part, shape: Shapes, channels: int | None = None) -> PartMemory:
    """Memory of one part on an input of a shape."""
    return saved_values(trace_part(part, shape, channels))


def in_sequence(memories: Sequence[PartMemory]) -> PartMemory:
    """Memory of parts that follow one another."""
    peak = saved = once = 0
    is_kept = True  # the first input is not part of `saved`
    for one in memories:
        peak = max(peak, one.peak)
        saved += one.saved if is_kept else one.saved + one.saved_input
        once += one.saved_once
        is_kept = one.keeps_output
    return PartMemory(peak, saved, once, memories[0].saved_input, is_kept)


def repeated(one: PartMemory, times: int) -> PartMemory:
    """Memory of one part several times in sequence."""
    between = 0 if one.keeps_output else one.saved_input
    saved = one.saved * times + between * (times - 1)
    return PartMemory(one.peak, saved, one.saved_once * times, one.saved_input, one.keeps_output)


def network_memory(spec: ModelSpec, shape: Shapes) -> PartMemory:
    """Memory of a whole network on an image of a shape."""
    memories = []
    for part, channels, repeats in chain(spec):
        memories.append(repeated(part_memory(part, shape, channels), repeats))
        traced = trace_part(part, shape, channels)
        shape = traced.output_shape
    return in_sequence(memories)
