"""Which stage of a network is the dearest at which resolution, and where attention's quadratic term takes it over.

The quadratic term is what grows with the square of the positions: the two products of attention whose keys are as many
as the positions (or a fixed part of them, as with PVT's reduction). Attention within windows, over channels, or with
keys pooled to a fixed grid grows with the positions, like a convolution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hiri_spec import ModelSpec, cost
from hiri_spec.block import Part
from hiri_spec.graph import Node, Shapes
from hiri_spec.network import segments, trace_part
from hiri_spec.ops import Attention

STEP = 32
"""Pixels from one side that is looked at to the next; a sixteenth of the side where that is more."""
LARGEST_SIDE = 4096
FAR = 64
"""Keys whose number is the same at so many times the side don't grow with the map."""


@dataclass(frozen=True, slots=True)
class StageMacs:
    """One stage (or stem, or head) at a resolution: its MACs, and those of attention's quadratic term among them."""

    name: str
    kind: str
    macs: int
    quadratic_macs: int


@dataclass(frozen=True, slots=True)
class Takeover:
    """A stage that is a network's dearest for square images from a side on, up to the next takeover.

    `quadratic_half_from`: the side from which on attention's quadratic term is at least half of the stage; None where
    it is not up to the largest side looked at. `has_quadratic`: whether the stage has such a term at all.
    """

    name: str
    form: str
    stages: int
    from_side: int
    stage: str
    has_quadratic: bool
    quadratic_half_from: int | None


def count_stages(spec: ModelSpec, size: tuple[int, int]) -> list[StageMacs]:
    """The stem, each stage and the head at a height and width."""
    quadratic: dict[str, int] = {}
    shape: Shapes = (spec.in_channels, *size)
    for segment in segments(spec):
        name = segment.scope if segment.stage is None else f"stages.{segment.stage}"
        own = sum(node.macs for node in _quadratic(segment.part, shape, segment.channels))
        quadratic[name] = quadratic.get(name, 0) + own * (segment.repeats or 1)
        shape = trace_part(segment.part, shape, segment.channels).output_shape
    return [StageMacs(row.name, row.kind, row.macs, quadratic[row.name]) for row in cost(spec, size).by_stage()]


def _quadratic(part: Part, shape: Shapes, channels: int | None) -> Iterator[Node]:
    """The attention of a part that has more keys on a larger map."""
    traced = trace_part(part, shape, channels)
    if not any(isinstance(node.op, Attention) for node in traced):
        return
    for node, far in zip(traced, trace_part(part, _enlarged(shape), channels), strict=True):
        if isinstance(node.op, Attention) and _keys(far) > _keys(node):
            yield node


def _keys(node: Node) -> int:
    _, height, width = node.input_shapes[1]
    return height * width


def _enlarged(shapes: Shapes) -> Shapes:
    if shapes and isinstance(shapes[0], tuple):
        return tuple((shape[0], *(side * FAR for side in shape[1:])) for shape in shapes if isinstance(shape, tuple))
    return (shapes[0], *(side * FAR for side in shapes[1:] if isinstance(side, int)))  # type: ignore[return-value]


def find_takeovers(spec: ModelSpec, sides: Sequence[int], *, name: str, form: str) -> list[Takeover]:
    """Each side of the given ones, in order, at which another stage becomes the dearest; the first side, too."""
    counted = {side: {stage.name: stage for stage in count_stages(spec, (side, side))} for side in sides}
    takeovers: list[Takeover] = []
    for side, stages in counted.items():
        dearest = max(stages.values(), key=lambda stage: stage.macs)
        told = f"{dearest.name} ({dearest.kind})"
        if takeovers and takeovers[-1].stage == told:
            continue
        own = {side: stages[dearest.name] for side, stages in counted.items()}
        half = _from_which_on({side: 2 * stage.quadratic_macs >= stage.macs for side, stage in own.items()})
        has_quadratic = any(stage.quadratic_macs for stage in own.values())
        takeovers.append(Takeover(name, form, len(spec.stages), side, told, has_quadratic, half))
    return takeovers


def _from_which_on(holds: dict[int, bool]) -> int | None:
    """The least side from which on something holds at every larger one."""
    first = None
    for side, is_held in sorted(holds.items(), reverse=True):
        if not is_held:
            break
        first = side
    return first


def sides_to_look_at(sizes: Sequence[tuple[int, int]]) -> list[int]:
    """Sides from the smallest of some sizes to the largest one and at least to 4096, a step apart."""
    side, largest = min(map(min, sizes)), max(LARGEST_SIDE, *map(max, sizes))
    sides = [side]
    while side < largest:
        side = min(side // STEP * STEP + max(STEP, side // 16 // STEP * STEP), largest)
        sides.append(side)
    return sides
