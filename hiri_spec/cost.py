"""What a network costs: parameters, MACs and activation memory, in all and broken down, without building it.

Everything is read off the graph's operations. Equal blocks are traced and added up once, so that a network costs
microseconds after its blocks have been seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from .block import Block, Part
from .errors import Problem, SpecError, show
from .files import SpecLike, as_spec
from .graph import Shapes
from .memory import BYTES, PartMemory, in_sequence, network_memory, part_memory, repeated, size_of
from .network import MAX_NODES, Resolution, Segment, chain, read_resolution, segments, trace_part
from .quantities import MAX_NUMBER
from .schema import ModelSpec

CONVENTION = "MACs as papers count GFLOPs: 1 multiply-add = 1"
MAX_PARAMS = 20_000_000_000
MAX_MACS = 100_000_000_000_000
MAX_OPERATIONS = MAX_NODES
MAX_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class CostRow:
    """One line of a breakdown. `memory_bytes`: peak in inference; `training_memory_bytes`: kept for backward.

    A kind of operation (`by_op`) has its outputs' memory in all as `memory_bytes` and no training memory of its own.
    """

    name: str
    kind: str
    output: Shapes | None
    count: int
    params: int
    macs: int
    memory_bytes: int
    training_memory_bytes: int | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


class PartCost(NamedTuple):
    """Parameters, MACs for one image, and the shape that comes out, of one part or of several in sequence."""

    params: int
    macs: int
    output: Shapes


@lru_cache(maxsize=65536)
def part_cost(part: Part, shape: Shapes, channels: int | None = None) -> PartCost:
    """Cost of one part on an input of a shape."""
    traced = trace_part(part, shape, channels)
    params = macs = 0
    for node in traced.nodes:
        params += node.op.params()
        macs += node.op.macs(node.shape, *node.input_shapes)
    return PartCost(params, macs, traced.output_shape)


@lru_cache(maxsize=65536)
def run_cost(run: Block, shape: Shapes) -> PartCost:
    """Cost of a run of blocks with the downsampling that leads into it."""
    if run.downsample is None:
        params = macs = 0
    else:
        params, macs, shape = part_cost(run.downsample, shape, run.width)
    one = part_cost(run, shape)
    return PartCost(params + run.depth * one.params, macs + run.depth * one.macs, one.output)


def network_cost(spec: ModelSpec, shape: Shapes) -> PartCost:
    """Cost of a whole network on an image of a shape."""
    stages = spec.stages
    params, macs, shape = part_cost(spec.stem, shape, stages[0][0].width)
    for stage in stages:
        for run in stage:
            more_params, more_macs, shape = run_cost(run, shape)
            params += more_params
            macs += more_macs
    more_params, more_macs, shape = part_cost(spec.head, shape)
    return PartCost(params + more_params, macs + more_macs, shape)


class Cost:
    """Cost of a network at a resolution.

    `params`; `macs` for one image; `memory_bytes`, the peak of activations in inference, and
    `training_memory_bytes`, the activations kept for the backward pass, both for `batch` images in float32. Workspace
    of the kernels is not included.
    """

    __slots__ = ("_spec", "batch", "macs", "params", "resolution")

    def __init__(self, spec: ModelSpec, resolution: tuple[int, int], batch: int = 1) -> None:
        self._spec = spec
        self.resolution = resolution
        self.batch = batch
        self.params, self.macs, _ = network_cost(spec, (spec.in_channels, *resolution))

    @property
    def memory_bytes(self) -> int:
        """Peak of activations in inference."""
        return self._memory().peak * BYTES * self.batch

    @property
    def training_memory_bytes(self) -> int:
        """Activations kept for the backward pass, the image included."""
        return self._memory().kept_bytes(self.batch)

    def __repr__(self) -> str:
        height, width = self.resolution
        sums = f"{self.params / 1e6:.2f} M params, {self.macs / 1e9:.3f} GMACs"
        return f"Cost({self._spec.name} at {height}x{width}: {sums})"

    def by_block(self) -> list[CostRow]:
        """One row for each stem, downsampling, block and head, named by its module path."""
        rows: list[CostRow] = []
        for segment, one, memory, is_kept in self._segments():
            if len(rows) + (segment.repeats or 1) > MAX_ROWS:
                message = f"more than {MAX_ROWS:,} blocks to list; look at it by stage"
                raise SpecError(Problem(message, segment.scope, code="too_large"))
            for name in segment.module_names():
                rows.append(self._row(name, segment.kind, 1, one, memory, is_kept))
                is_kept = memory.keeps_output
        return rows

    def by_stage(self) -> list[CostRow]:
        """One row for the stem, each stage and the head."""
        groups: dict[str, list[tuple[Segment, PartCost, PartMemory, bool]]] = {}
        for item in self._segments():
            segment = item[0]
            groups.setdefault(segment.scope if segment.stage is None else f"stages.{segment.stage}", []).append(item)
        rows = []
        for name, members in groups.items():
            repeats = [(segment.repeats or 1, one) for segment, one, _, _ in members]
            whole = PartCost(
                sum(n * one.params for n, one in repeats),
                sum(n * one.macs for n, one in repeats),
                repeats[-1][1].output,
            )
            memory = in_sequence([repeated(own, segment.repeats or 1) for segment, _, own, _ in members])
            blocks = sum(segment.repeats or 0 for segment, _, _, _ in members) or 1
            what = " + ".join(describe(segment) for segment, _, _, _ in members)
            rows.append(self._row(name, what, blocks, whole, memory, members[0][3]))
        return rows

    def by_op(self) -> list[CostRow]:
        """One row for each kind of operation, dearest first; `memory_bytes` is the sum of its outputs."""
        sums: dict[str, list[int]] = {}
        shape: Shapes = (self._spec.in_channels, *self.resolution)
        for part, channels, repeats in chain(self._spec):
            traced = trace_part(part, shape, channels)
            shape = traced.output_shape
            for node in traced.nodes:
                if node.op.kind != "input":
                    outputs = 0 if node.op.is_alias else size_of(node.shape)
                    row = sums.setdefault(node.op.label, [0, 0, 0, 0])
                    for place, value in enumerate((1, node.params, node.macs, outputs)):
                        row[place] += value * repeats
        scale = BYTES * self.batch
        rows = [
            CostRow(label, "op", None, count, params, macs, outputs * scale, None)
            for label, (count, params, macs, outputs) in sums.items()
        ]
        return sorted(rows, key=lambda row: (-row.macs, -row.params, row.name))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        names = ("params", "macs", "memory_bytes", "training_memory_bytes", "batch")
        return {"resolution": list(self.resolution)} | {name: getattr(self, name) for name in names}

    def _memory(self) -> PartMemory:
        return network_memory(self._spec, (self._spec.in_channels, *self.resolution))

    def _segments(self) -> Iterator[tuple[Segment, PartCost, PartMemory, bool]]:
        """Each segment, cost and memory of one of its modules, and whether the part before keeps what goes in."""
        shape: Shapes = (self._spec.in_channels, *self.resolution)
        is_kept = False
        for segment in segments(self._spec):
            one = part_cost(segment.part, shape, segment.channels)
            memory = part_memory(segment.part, shape, segment.channels)
            yield segment, one, memory, is_kept
            is_kept, shape = memory.keeps_output, one.output

    def _row(self, name: str, kind: str, count: int, one: PartCost, memory: PartMemory, is_kept: bool) -> CostRow:
        kept = memory.kept_bytes(self.batch, with_input=not is_kept)
        return CostRow(name, kind, one.output, count, one.params, one.macs, memory.peak * BYTES * self.batch, kept)


def describe(segment: Segment) -> str:
    """What a segment is made of: `hr x2`, `irds_a`."""
    return segment.kind if segment.repeats is None else f"{segment.kind} x{segment.repeats}"


def cost(spec: SpecLike, resolution: Resolution | None = None, *, batch: int = 1) -> Cost:
    """The cost of a spec (a path, a built-in name, a dict or a ModelSpec) at a resolution, its own by default.

    Raises SpecError for a spec that is wrong or a resolution under 32 pixels a side.
    """
    spec = as_spec(spec)
    if isinstance(batch, bool) or not isinstance(batch, int) or not 1 <= batch <= MAX_NUMBER:
        raise SpecError(Problem(f"{show(batch)} is no number of images; use a whole one from 1 on", "batch"))
    return Cost(spec, read_resolution(spec, resolution), batch)


def check_affordable(
    spec: ModelSpec,
    *,
    max_params: float = MAX_PARAMS,
    max_macs: float = MAX_MACS,
    max_operations: float = MAX_OPERATIONS,
) -> None:
    """Refuse, before anything is built, a network that no machine holds; raises SpecError that tells the limit."""
    own = cost(spec)
    for what, value, limit, argument in (
        ("parameters", own.params, max_params, "max_params"),
        (f"MACs at {own.resolution[0]}x{own.resolution[1]}", own.macs, max_macs, "max_macs"),
        ("operations", sum(row.count for row in own.by_op()), max_operations, "max_operations"),
    ):
        if not value <= limit:
            message = f"{spec.name} has {value:.3g} {what}, more than the limit of {limit:.3g}"
            hint = f"lower widths and depths, or raise the limit with {argument}=…"
            raise SpecError(Problem(f"{message}; {hint}", code="too_large"))
