"""ModelSpec → Graph: the chain of parts that a spec stands for, traced at a resolution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .block import Block, Part, trace
from .errors import Problem, SpecError, show
from .feature_map import start
from .files import SpecLike, as_spec
from .graph import Graph, Shapes
from .quantities import LARGEST_SIDE, SMALLEST_SIDE
from .schema import ModelSpec, Stage

Resolution = int | tuple[int, int]
MAX_NODES = 500_000
MAX_TRACES = 4096


@dataclass(frozen=True, slots=True)
class Segment:
    """A part at its place in the network: `repeats` equal modules, numbered under `scope` if it is a run."""

    scope: str
    part: Part
    channels: int | None
    repeats: int | None
    stage: int | None

    @property
    def kind(self) -> str:
        """The name of the part in the spec, e.g. `hr`."""
        return str(getattr(self.part, self.part.key))

    def module_names(self) -> Iterator[str]:
        """Path of each module that the segment stands for."""
        if self.repeats is None:
            yield self.scope
        else:
            yield from (f"{self.scope}.{index}" for index in range(self.repeats))


def run_names(stage: Stage) -> list[str]:
    """The name of each run of a stage, under which its weights are kept.

    A run without a `name` is called `blocks` if it comes first, and by its block type after that.
    """
    taken = {run.name for run in stage if run.name} | {"downsample"}
    names = []
    for position, run in enumerate(stage):
        base = run.name or ("blocks" if position == 0 else run.block)  # type: ignore[attr-defined]
        name = base
        number = 2
        while name in taken and run.name is None:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        names.append(name)
    return names


def chain(spec: ModelSpec) -> list[tuple[Part, int | None, int]]:
    """The parts of a network in order, each with the width it is told to give and its number of repeats."""
    stages = spec.stages
    parts: list[tuple[Part, int | None, int]] = [(spec.stem, stages[0][0].width, 1)]
    for stage in stages:
        for run in stage:
            if run.downsample is not None:
                parts.append((run.downsample, run.width, 1))
            parts.append((run, None, run.depth))
    parts.append((spec.head, None, 1))
    return parts


def segments(spec: ModelSpec) -> Iterator[Segment]:
    """The chain of parts with the module path of each: stem, each stage's downsampling and runs, head."""
    scopes: list[tuple[str, int | None]] = [("stem", None)]
    for index, stage in enumerate(spec.stages):
        for run, name in zip(stage, run_names(stage), strict=True):
            if run.downsample is not None:
                scopes.append((f"stages.{index}.downsample", index))
            scopes.append((f"stages.{index}.{name}", index))
    scopes.append(("head", None))
    for (scope, stage_index), (part, channels, repeats) in zip(scopes, chain(spec), strict=True):
        yield Segment(scope, part, channels, repeats if isinstance(part, Block) else None, stage_index)


def read_resolution(spec: ModelSpec, resolution: Resolution | None) -> tuple[int, int]:
    """Height and width: the given ones or the spec's own; raises SpecError below 32 pixels a side."""
    if resolution is None:
        return spec.size
    size = tuple(resolution) if isinstance(resolution, tuple | list) else (resolution, resolution)
    if len(size) != 2 or any(isinstance(side, bool) or not isinstance(side, int) for side in size):
        raise SpecError(
            Problem(f"{show(resolution)} is no image size; give a side or (height, width) in pixels", "resolution")
        )
    if min(size) < SMALLEST_SIDE:
        raise SpecError(Problem(f"{size[0]}x{size[1]} is too small; use at least {SMALLEST_SIDE} a side", "resolution"))
    if max(size) > LARGEST_SIDE:
        raise SpecError(Problem(f"{show(max(size))} is too large; use at most {LARGEST_SIDE:,} a side", "resolution"))
    return size[0], size[1]


_traces: dict[tuple[tuple[object, ...], Shapes, int | None], Graph] = {}


def trace_part(part: Part, shape: Shapes, channels: int | None = None) -> Graph:
    """The graph of one part on an input of a shape; equal parts are traced once. Don't change what you get."""
    key = (part.wiring, shape, channels)
    traced = _traces.get(key)
    if traced is None:
        if len(_traces) >= MAX_TRACES:
            _traces.clear()
        traced = _traces[key] = trace(part, shape, channels)
    return traced


def forget_traces() -> None:
    """Clear the memory of traced parts, to measure without it."""
    _traces.clear()


def graph(spec: SpecLike, resolution: Resolution | None = None) -> Graph:
    """Trace a whole network at a resolution (the spec's own by default); `.to_networkx()` gives the DiGraph.

    Raises SpecError where it would have more than half a million operations.
    """
    spec = as_spec(spec)
    height, width = read_resolution(spec, resolution)
    image = start((spec.in_channels, height, width))
    whole = image.graph
    here = whole.inputs
    for segment in segments(spec):
        whole.outputs = list(here)
        part = trace_part(segment.part, whole.output_shape, segment.channels)
        if len(whole) + len(part) * (segment.repeats or 1) > MAX_NODES:
            raise SpecError(
                Problem(f"more than {MAX_NODES:,} operations; lower its depth", segment.scope, code="too_large")
            )
        for name in segment.module_names():
            here = whole.append(name, part, here)
    whole.outputs = list(here)
    return whole
