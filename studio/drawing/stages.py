"""Where everything of the network's picture stands: a column a stage, its maps and channels to scale.

The layout is plain data, so that it can be tested without looking; `picture.py` renders it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hiri_spec.cost import Cost, CostRow
from hiri_spec.draw import format_output
from hiri_spec.graph import Shape, Shapes, streams_of
from hiri_spec.network import Segment

from .elements import CHARACTER

LEFT, TOP, GAP = 10.0, 12.0, 8.0
TALL = 168.0
"""Pixels for the tallest map, its slanted top included."""
LONG = 58.0
"""Pixels for the most channels."""
SMALLEST, THINNEST = 5.0, 3.0
"""Pixels that the smallest maps and the fewest channels have at the least."""
SLANT_X, SLANT_Y = 0.28, 0.2
"""Pixels to the right and up for one of a map's width."""
WEDGE = 14.0
NARROWEST, WIDEST = 90.0, 150.0
MOST_COLUMNS, MOST_RUNS, MOST_STREAMS = 40, 4, 6
"""What is drawn one by one; of more, their number is told."""
MOST_SPOKEN = 200
"""Characters of a stage's blocks that a screen reader is given."""
LABEL = 12.0
SWATCH = 24.0


@dataclass(frozen=True, slots=True)
class Slab:
    """A map with its channels, as a block seen from the side; `slant` is the width of the map in pixels."""

    kind: str
    x: float
    y: float
    length: float
    height: float
    slant: float


@dataclass(frozen=True, slots=True)
class Wedge:
    """A downsampling: from the height before to the height after."""

    kind: str
    x: float
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Run:
    """The label of a run of blocks."""

    kind: str
    """As it is coloured: `stem` and `head` have colours of their own."""
    label: str
    depth: int


@dataclass(frozen=True, slots=True)
class Column:
    """A stem, a stage, a head, or a number of stages that are not drawn (without a scope)."""

    scope: str
    title: str
    x: float
    width: float
    slabs: tuple[Slab, ...]
    wedge: Wedge | None
    runs: tuple[Run, ...]
    more_runs: int
    output: str
    note: str
    macs_share: float
    params_share: float
    spoken: str


@dataclass(frozen=True, slots=True)
class StagesLayout:
    """The columns and their place in pixels; `middle` is the line that maps are centred on."""

    columns: tuple[Column, ...]
    width: float
    middle: float
    rows: int
    """Lines of runs under each column, at most."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Pixels for one of a map's positions, and for one channel."""

    side: float
    channel: float

    def height(self, shape: Shape) -> float:
        return max(SMALLEST, self.side * (shape[1] if len(shape) == 3 else 1))

    def slant(self, shape: Shape) -> float:
        return max(SMALLEST, self.side * (shape[2] if len(shape) == 3 else 1))

    def length(self, shape: Shape) -> float:
        return min(LONG, max(THINNEST, self.channel * shape[0]))

    def stack(self, shapes: Sequence[Shape]) -> float:
        """Height of the maps of all streams above each other."""
        return sum(self.height(shape) for shape in shapes) + 4.0 * (len(shapes) - 1)


def lay_out_stages(cost: Cost, segmented: Sequence[tuple[Segment, Shapes]]) -> StagesLayout:
    """Place a column for the stem, each stage and the head of a network at the resolution of its cost."""
    groups: dict[str, list[tuple[Segment, Shapes]]] = {}
    for segment, shapes in segmented:
        groups.setdefault(column_of(segment), []).append((segment, shapes))
    rows = {row.name: row for row in cost.by_stage()}
    names = list(groups)
    if len(names) > MOST_COLUMNS:
        folded = names[MOST_COLUMNS - 2 : -1]
        names = [*names[: MOST_COLUMNS - 2], "", names[-1]]
    scale = _scale([shapes for name in names for _, shapes in groups.get(name, ())])
    middle = TOP + TALL / 2 + 14
    columns: list[Column] = []
    x, before = LEFT, 0.0
    for name in names:
        if name:
            column = _column(name, groups[name], rows[name], cost, scale, x, before, middle)
            before = scale.stack(_shown(groups[name][-1][1]))
        else:
            column = _folded(folded, rows, cost, x)
        columns.append(column)
        x += column.width + GAP
    return StagesLayout(
        tuple(columns), x - GAP + LEFT, middle, max(len(each.runs) + bool(each.more_runs) for each in columns)
    )


def column_of(segment: Segment) -> str:
    """The scope of the column that a segment stands in."""
    return segment.scope if segment.stage is None else f"stages.{segment.stage}"


def _shown(shapes: Shapes) -> tuple[Shape, ...]:
    return streams_of(shapes)[:MOST_STREAMS]


def _scale(outputs: Sequence[Shapes]) -> Scale:
    most = max(sum(_side(shape, 1) for shape in _shown(out)) + SLANT_Y * _side(_shown(out)[0], 2) for out in outputs)
    room = TALL - 4.0 * max(len(_shown(out)) - 1 for out in outputs)
    widest = max(SLANT_X * _side(_shown(out)[0], 2) for out in outputs)
    channels = max(
        (shape[0] for out in outputs for shape in _shown(out) if len(shape) == 3),
        default=max(_shown(out)[0][0] for out in outputs),
    )
    return Scale(min(room / most, WIDEST / widest), LONG / channels)


def _side(shape: Shape, axis: int) -> int:
    return shape[axis] if len(shape) == 3 else 1


def _column(
    name: str,
    members: Sequence[tuple[Segment, Shapes]],
    row: CostRow,
    cost: Cost,
    scale: Scale,
    x: float,
    before: float,
    middle: float,
) -> Column:
    slabs: list[Slab] = []
    wedge: Wedge | None = None
    runs: list[Run] = []
    end = x
    for segment, shapes in members:
        streams = _shown(shapes)
        if segment.stage is not None and segment.repeats is None:
            wedge = Wedge(segment.kind, end, before, scale.stack(streams))
            end += WEDGE + 4
            continue
        kind = segment.kind if segment.stage is not None else name
        if len(runs) < MOST_RUNS:
            y = middle - scale.stack(streams) / 2
            for shape in streams:
                slabs.append(Slab(kind, end, y, scale.length(shape), scale.height(shape), scale.slant(shape)))
                y += scale.height(shape) + 4
            end += max(scale.length(shape) for shape in streams)
        repeats = f" ×{segment.repeats}" if segment.repeats is not None else ""
        runs.append(Run(kind, segment.kind + repeats, segment.repeats or 0))
    end += max(SLANT_X * slab.slant for slab in slabs)
    heads = [getattr(segment.part, "heads", None) for segment, _ in members if segment.repeats is not None]
    note = ", ".join(dict.fromkeys(f"heads {count}" for count in heads if isinstance(count, int)))
    output = format_output(members[-1][1])
    title = name.replace("stages.", "stage ")
    more = max(0, len(runs) - MOST_RUNS)
    shown = tuple(runs[:MOST_RUNS])
    longest = max(SWATCH + CHARACTER * LABEL * max(len(run.label) for run in shown), CHARACTER * LABEL * len(output))
    width = max(NARROWEST, min(WIDEST, longest + 1), end - x)
    share = row.macs / max(1, cost.macs), row.params / max(1, cost.params)
    what = row.kind if len(row.kind) <= MOST_SPOKEN else f"{row.kind[:MOST_SPOKEN]}…"
    spoken = f"{title}: {what}, output {output}, {100 * share[0]:.1f} % of MACs, {100 * share[1]:.1f} % of parameters"
    return Column(name, title, x, width, tuple(slabs), wedge, shown, more, output, note, *share, spoken)


def _folded(names: Sequence[str], rows: dict[str, CostRow], cost: Cost, x: float) -> Column:
    """A column that stands for stages that are not drawn."""
    macs = sum(rows[name].macs for name in names) / max(1, cost.macs)
    params = sum(rows[name].params for name in names) / max(1, cost.params)
    title = f"{len(names):,} more"
    return Column("", title, x, NARROWEST, (), None, (), 0, "stages", "", macs, params, f"{title} stages, not drawn")
