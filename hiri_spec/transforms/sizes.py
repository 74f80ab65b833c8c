"""The widths and depths of a network as numbers that can be moved, and what each combination costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm
from typing import Any

from ..block import fields_of
from ..cost import part_cost
from ..files import as_spec
from ..graph import Shapes
from ..saving import to_data
from ..schema import ModelSpec
from .draft import Stage, runs_of

GRID = 8
"""Widths are multiples of this, and of the width of a head."""
WIDTH_FIELDS = ("width", "inner")
"""Widths that a stem or a head may have of its own."""


@dataclass(frozen=True, slots=True)
class Size:
    """A width or a depth: what it is now, what it must be a multiple of, and where it stands.

    A field of `part`, stem or head; else the width that `stages` share, or the depth of one of their runs.
    """

    field: str
    value: int
    step: int
    part: str = ""
    stages: tuple[int, ...] = ()
    run: int = 0
    has_heads: bool = False

    @property
    def places(self) -> list[str]:
        """Where it stands, as in a spec."""
        return [self.part] if self.part else [f"stages[{index}]" for index in self.stages]

    def times(self, factor: float) -> int:
        """The nearest multiple of the step, at least one."""
        return max(1, round(self.value * factor / self.step)) * self.step


@dataclass(frozen=True, slots=True)
class MacsOfDepths:
    """MACs of a network of given widths: what is always there, and what each block of each run adds."""

    fixed: int
    each: tuple[int, ...]

    def at(self, depths: Sequence[int]) -> int:
        """MACs in all."""
        return self.fixed + sum([macs * depth for macs, depth in zip(self.each, depths, strict=True)])


class Sizes:
    """A network's widths, those of stem and head included, and its depths; norms by themselves have none."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.widths = [*_own_sizes(spec, "stem", WIDTH_FIELDS, GRID), *_stage_widths(spec)]
        self.widths += _own_sizes(spec, "head", WIDTH_FIELDS, GRID)
        self.depths = _own_sizes(spec, "stem", ("depth",), 1)
        for index, stage in enumerate(spec.stages):
            for at, run in enumerate(stage):
                if _moves(run):
                    self.depths.append(Size("depth", run.depth, 1, stages=(index,), run=at))

    def resized(self, widths: Sequence[int], depths: Sequence[int]) -> tuple[dict[str, Any], list[Stage]]:
        """The network as plain data with other widths and depths; heads keep their width."""
        data = to_data(self.spec)
        stages = [runs_of(stage) for stage in data["stages"]]
        sizes = [*self.widths, *self.depths]
        for size, value in zip(sizes, [*widths, *depths], strict=True):
            if size.part:
                data[size.part] = {**data[size.part], size.field: value}
            elif size.field == "depth":
                stages[size.stages[0]][size.run]["depth"] = value
            else:
                for run in [run for index in size.stages for run in stages[index]]:
                    if "heads" in run:
                        run["heads"] = value // (run["width"] // run["heads"])
                    run["width"] = value
        return data, stages

    def cost(self, widths: Sequence[int], resolution: tuple[int, int]) -> MacsOfDepths:
        """What the network costs over its depths; raises SpecError for widths that it can't have."""
        data, stages = self.resized(widths, [size.value for size in self.depths])
        spec = as_spec(data | {"stages": stages})
        shape: Shapes = (spec.in_channels, *resolution)
        first = spec.stages[0][0].width
        each: list[int] = []
        _, fixed, out = part_cost(spec.stem, shape, first)
        if any(size.part for size in self.depths):
            one, two = (part_cost(spec.stem.model_copy(update={"depth": n}), shape, first).macs for n in (1, 2))
            each.append(two - one)
            fixed = one - each[0]
        for stage in spec.stages:
            for run in stage:
                if run.downsample is not None:
                    _, macs, out = part_cost(run.downsample, out, run.width)
                    fixed += macs
                _, macs, out = part_cost(run, out)
                if _moves(run):
                    each.append(macs)
        fixed += part_cost(spec.head, out).macs
        return MacsOfDepths(fixed, tuple(each))


def _moves(run: Any) -> bool:
    """A norm by itself is there once, however deep the network."""
    return bool(run.block != "norm")


def _own_sizes(spec: ModelSpec, part: str, names: Sequence[str], step: int) -> list[Size]:
    owner = getattr(spec, part)
    own = [name for name in names if name in fields_of(type(owner))]
    return [Size(name, getattr(owner, name), step, part=part) for name in own]


def _stage_widths(spec: ModelSpec) -> list[Size]:
    """One width for stages that share one: no downsampling is between them, or one that only adds a stream."""
    groups: list[list[int]] = []
    for index, stage in enumerate(spec.stages):
        lead, before = stage[0].downsample, spec.stages[index - 1][0].width
        if index and (lead is None or (lead.adds_stream and stage[0].width == before)):
            groups[-1].append(index)
        else:
            groups.append([index])
    return [_stage_width(spec, tuple(group)) for group in groups]


def _stage_width(spec: ModelSpec, stages: tuple[int, ...]) -> Size:
    runs: list[Any] = [run for index in stages for run in spec.stages[index]]
    heads = [run.width // run.heads for run in runs if hasattr(run, "heads")]
    return Size("width", runs[0].width, lcm(GRID, *heads), stages=stages, has_heads=bool(heads))
