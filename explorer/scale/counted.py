"""Networks over resolutions, as they are and scaled up, as plain data to be shown in any form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hiri_spec import ModelSpec, SpecError, cost, scale_up
from hiri_spec.quantities import format_resolution

from .stages import count_stages

AS_IT_IS, SCALED_UP = "as it is", "scaled up"


@dataclass(slots=True)
class Point:
    """One network at one resolution.

    `ratio`: MACs over those of the network as it is at its own resolution, `base_resolution`. `quadratic_share`: of
    all MACs, those of attention's products that grow with the square of the positions.
    """

    name: str
    form: str
    stages: int
    resolution: tuple[int, int]
    params: int
    macs: int
    ratio: float
    base_resolution: tuple[int, int]
    dearest_stage: str
    dearest_share: float
    quadratic_share: float
    latency_ms: float | None = None


@dataclass(slots=True)
class Counted:
    """The points of one network, each with its spec, and why it is not scaled up to some of the sizes."""

    points: list[tuple[Point, ModelSpec]]
    refusals: list[str]


def count_points(spec: ModelSpec, sizes: Sequence[tuple[int, int]], name: str | None = None) -> Counted:
    """The network as it is at each size and, at sizes above its own, scaled up to it where it can be."""
    counted = Counted([], [])
    name = name or spec.name
    base = cost(spec).macs
    for size in dict.fromkeys(sizes):
        counted.points.append((_point(name, AS_IT_IS, spec, spec, size, base), spec))
        if all(new > old for new, old in zip(size, spec.size, strict=True)):
            try:
                scaled = scale_up(spec, resolution=size)
            except SpecError as error:
                counted.refusals.append(f"{name} is not scaled up to {format_resolution(size)}: {error}")
            else:
                counted.points.append((_point(name, SCALED_UP, spec, scaled, size, base), scaled))
    return counted


def _point(name: str, form: str, original: ModelSpec, spec: ModelSpec, size: tuple[int, int], base: int) -> Point:
    stages = count_stages(spec, size)
    own = cost(spec, size)
    dearest = max(stages, key=lambda stage: stage.macs)
    return Point(
        name,
        form,
        len(spec.stages),
        own.resolution,
        own.params,
        own.macs,
        own.macs / base,
        original.size,
        f"{dearest.name} ({dearest.kind})",
        dearest.macs / own.macs,
        sum(stage.quadratic_macs for stage in stages) / own.macs,
    )
