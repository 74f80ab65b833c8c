"""What a network costs: parameters, MACs and activation memory, in all and broken down, without building it.

Everything is read off the graph's operations. Equal blocks are traced and added up once, so that a network costs
microseconds after its blocks have been seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .block import Part
from .errors import Problem, SpecError
from .files import SpecLike, as_spec
from .graph import Graph, Shape
from .network import Resolution, Segment, chain, read_resolution, segments, trace_part
from .schema import ModelSpec

BYTES = 4
"""Bytes of one float32 value."""
CONVENTION = "MACs as papers count GFLOPs: 1 multiply-add = 1"
MAX_PARAMS = 20_000_000_000
MAX_MACS = 100_000_000_000_000
MAX_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class PartCost:
    """Cost of one part for one image; memory in float32 values."""

    params: int
    macs: int
    peak: int
    saved: int
    keeps_input: bool
    keeps_output: bool
    output: Shape


@dataclass(frozen=True, slots=True)
class CostRow:
    """One line of a breakdown. `memory_bytes`: peak in inference; `training_memory_bytes`: kept for backward."""

    name: str
    kind: str
    output: Shape | None
    count: int
    params: int
    macs: int
    memory_bytes: int
    training_memory_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


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


def saved_values(part: Graph) -> tuple[int, bool, bool]:
    """Values that autograd keeps for the backward pass, besides the input; and whether it keeps input and output.

    A tensor that several operations keep is counted once. Drop path and dropout are taken as inactive.
    """
    owner = list(range(len(part.nodes)))
    kept: set[int] = set()
    extra = 0
    for index, node in enumerate(part.nodes):
        if node.op.is_alias:
            owner[index] = owner[node.inputs[0]]
            continue
        if node.op.saves_inputs:
            kept.update(owner[source] for source in node.inputs)
        if node.op.saves_output:
            kept.add(index)
        extra += node.op.saved_extra(node.shape, *node.input_shapes)
    inputs, output = set(part.inputs), owner[part.outputs[0]]
    inside = sum(size_of(part.nodes[index].shape) for index in kept - inputs)
    return inside + extra, bool(kept & inputs), output in kept - inputs


@lru_cache(maxsize=65536)
def part_cost(part: Part, shape: Shape, channels: int | None) -> PartCost:
    """Cost of one part on an input of a shape."""
    traced = trace_part(part, shape, channels)
    saved, keeps_input, keeps_output = saved_values(traced)
    return PartCost(
        traced.params,
        traced.macs,
        peak_values(traced),
        saved,
        keeps_input,
        keeps_output,
        traced.nodes[traced.outputs[0]].shape,
    )


def totals(spec: ModelSpec, shape: Shape) -> tuple[int, int, int, int]:
    """Parameters, MACs, peak values in inference and values kept for training, for one image of a shape."""
    params = macs = peak = saved = 0
    is_kept = False
    for part, channels, repeats in chain(spec):
        one = part_cost(part, shape, channels)
        params += one.params * repeats
        macs += one.macs * repeats
        if one.peak > peak:
            peak = one.peak
        saved += one.saved * repeats
        if one.keeps_input:
            size = size_of(shape)
            saved += size * (not is_kept) + size * (repeats - 1) * (not one.keeps_output)
        is_kept, shape = one.keeps_output, one.output
    return params, macs, peak, saved


class Cost:
    """Cost of a network at a resolution.

    `params`; `macs` for one image; `memory_bytes`, the peak of activations in inference, and
    `training_memory_bytes`, the activations kept for the backward pass, both for `batch` images in float32. Workspace
    of the kernels is not included.
    """

    __slots__ = ("_spec", "batch", "macs", "memory_bytes", "params", "resolution", "training_memory_bytes")

    def __init__(self, spec: ModelSpec, resolution: tuple[int, int], batch: int = 1) -> None:
        self._spec = spec
        self.resolution = resolution
        self.batch = batch
        self.params, self.macs, peak, saved = totals(spec, (spec.in_channels, *resolution))
        self.memory_bytes = peak * BYTES * batch
        self.training_memory_bytes = saved * BYTES * batch

    def __repr__(self) -> str:
        height, width = self.resolution
        sums = f"{self.params / 1e6:.2f} M params, {self.macs / 1e9:.3f} GMACs"
        return f"Cost({self._spec.name} at {height}x{width}: {sums})"

    def by_block(self) -> list[CostRow]:
        """One row for each stem, downsampling, block and head, named by its module path."""
        return [
            self._row(name, kind, one.output, 1, one.params, one.macs, one.peak, saved)
            for name, kind, one, saved in self._modules()
        ]

    def by_stage(self) -> list[CostRow]:
        """One row for the stem, each stage and the head."""
        groups: dict[str, list[tuple[Segment, PartCost, int]]] = {}
        for segment, one, first, rest in self._segments():
            name = segment.scope if segment.stage is None else f"stages.{segment.stage}"
            groups.setdefault(name, []).append((segment, one, first + rest * ((segment.repeats or 1) - 1)))
        rows = []
        for name, members in groups.items():
            repeats = [(segment.repeats or 1, one) for segment, one, _ in members]
            rows.append(
                self._row(
                    name,
                    " + ".join(_describe(segment) for segment, _, _ in members),
                    members[-1][1].output,
                    sum(segment.repeats or 0 for segment, _, _ in members) or 1,
                    sum(count * one.params for count, one in repeats),
                    sum(count * one.macs for count, one in repeats),
                    max(one.peak for _, one in repeats),
                    sum(saved for _, _, saved in members),
                )
            )
        return rows

    def by_op(self) -> list[CostRow]:
        """One row for each kind of operation, dearest first; `memory_bytes` is the sum of its outputs."""
        sums: dict[str, list[int]] = {}
        shape: Shape = (self._spec.in_channels, *self.resolution)
        for part, channels, repeats in chain(self._spec):
            traced = trace_part(part, shape, channels)
            shape = traced.nodes[traced.outputs[0]].shape
            for node in traced.nodes:
                if node.op.kind != "input":
                    outputs = 0 if node.op.is_alias else size_of(node.shape)
                    row = sums.setdefault(node.op.label, [0, 0, 0, 0])
                    for place, value in enumerate((1, node.params, node.macs, outputs)):
                        row[place] += value * repeats
        rows = [
            self._row(label, "op", None, count, params, macs, outputs, 0)
            for label, (count, params, macs, outputs) in sums.items()
        ]
        return sorted(rows, key=lambda row: (-row.macs, -row.params, row.name))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        names = ("params", "macs", "memory_bytes", "training_memory_bytes", "batch")
        return {"resolution": list(self.resolution)} | {name: getattr(self, name) for name in names}

    def _segments(self) -> Iterator[tuple[Segment, PartCost, int, int]]:
        """Each segment with the cost of one of its modules and the values that its first and later ones keep."""
        shape: Shape = (self._spec.in_channels, *self.resolution)
        is_kept = False
        for segment in segments(self._spec):
            one = part_cost(segment.part, shape, segment.channels)
            size = size_of(shape) if one.keeps_input else 0
            yield segment, one, one.saved + size * (not is_kept), one.saved + size * (not one.keeps_output)
            is_kept, shape = one.keeps_output, one.output

    def _modules(self) -> Iterator[tuple[str, str, PartCost, int]]:
        count = 0
        for segment, one, first, rest in self._segments():
            count += segment.repeats or 1
            if count > MAX_ROWS:
                message = f"more than {MAX_ROWS:,} blocks to list; look at it by stage"
                raise SpecError(Problem(message, segment.scope, code="too_large"))
            for index, name in enumerate(segment.module_names()):
                yield name, segment.kind, one, rest if index else first

    def _row(
        self, name: str, kind: str, output: Shape | None, count: int, params: int, macs: int, peak: int, saved: int
    ) -> CostRow:
        scale = BYTES * self.batch
        return CostRow(name, kind, output, count, params, macs, peak * scale, saved * scale)


def _describe(segment: Segment) -> str:
    return segment.kind if segment.repeats is None else f"{segment.kind} x{segment.repeats}"


def cost(spec: SpecLike, resolution: Resolution | None = None, *, batch: int = 1) -> Cost:
    """The cost of a spec (a path, a built-in name, a dict or a ModelSpec) at a resolution, its own by default.

    Raises SpecError for a spec that is wrong or a resolution under 32 pixels a side.
    """
    spec = as_spec(spec)
    return Cost(spec, read_resolution(spec, resolution), batch)


def check_affordable(spec: ModelSpec, *, max_params: float = MAX_PARAMS, max_macs: float = MAX_MACS) -> None:
    """Refuse, before anything is built, a network that no machine holds; raises SpecError that tells the limit."""
    own = cost(spec)
    for what, value, limit, argument in (
        ("parameters", own.params, max_params, "max_params"),
        (f"MACs at {own.resolution[0]}x{own.resolution[1]}", own.macs, max_macs, "max_macs"),
    ):
        if value > limit:
            message = f"{spec.name} has {value:.3g} {what}, more than the limit of {limit:.3g}"
            hint = f"lower widths and depths, or raise the limit with {argument}=…"
            raise SpecError(Problem(f"{message}; {hint}", code="too_large"))
