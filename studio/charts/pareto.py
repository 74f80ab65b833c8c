"""What a search tried: score over cost, the front, and what is chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from ..palette import Theme, theme_of
from .frame import SMALL, Options, frame, legend, macs_unit, tooltip, value_axis

SYMBOLS = ("circle", "rect", "triangle", "diamond", "roundRect", "arrow", "pin")
MOST_POINTS = 4000
"""Points of one drawing: the front, and of the others so many, evenly over the trials."""
PINS = "ABCD"
DIGITS = 3
"""Behind the point of a cost; with fewer, points that differ would lie on each other."""
STEPS = "path://M0,8L8,8L8,2L18,2L18,4L10,4L10,10L0,10Z"
"""What stands for the front in the legend."""


class Tried(Protocol):
    """A network of a search that has a score."""

    @property
    def number(self) -> int:
        """Of its trial."""

    @property
    def score(self) -> float:
        """The higher the better."""

    @property
    def macs(self) -> int:
        """For one image."""

    @property
    def params(self) -> int:
        """Learned parameters."""

    @property
    def latency_ms(self) -> float | None:
        """Of one image, where networks are timed."""

    @property
    def stages(self) -> int:
        """How many there are."""

    @property
    def placement(self) -> Sequence[str]:
        """The letters of each stage's blocks, as in the sketch: HR, HR, C+T, T."""

    @property
    def sketch(self) -> str:
        """The network in a few letters."""

    @property
    def on_front(self) -> bool:
        """Whether no other has a higher score at no more cost."""


def pareto(
    points: Sequence[Tried],
    *,
    score_name: str,
    stage_counts: Collection[int] | None = None,
    placed: Mapping[int, Collection[str]] | None = None,
    selected: int | None = None,
    pinned: Sequence[int] = (),
    budget_macs: int | None = None,
    by_latency: bool = False,
    dark: bool = False,
) -> Options:
    """Score over MACs (or milliseconds), a colour and a symbol for each number of stages; the front is a line.

    `stage_counts` and `placed` (letters of the blocks that may stand at a stage, counted from 0) leave out what doesn't
    fit them. `selected` and `pinned` are trials by number. A value is [cost, score, trial, network, params M].
    """
    theme = theme_of(dark=dark)
    known = [point for point in points if not by_latency or point.latency_ms is not None]
    counts = sorted({point.stages for point in known})
    kept = choose(known, stage_counts=stage_counts, placed=placed)
    unit, divisor = ("ms", 1.0) if by_latency else macs_unit(max((p.macs for p in known), default=0))[:2]

    def value(point: Tried) -> list[Any]:
        cost = point.latency_ms or 0.0 if by_latency else point.macs
        params = round(point.params / 1e6, 2)
        return [
            round(cost / divisor, DIGITS),
            round(point.score, 4),
            point.number,
            f"{point.number}: {point.sketch}",
            params,
        ]

    shown = thinned(kept)
    front = sorted((value(point) for point in kept if point.on_front), key=lambda each: (each[0], each[1]))
    dimensions = [unit, score_name, "trial", "network", "params M"]
    # a score that is a cost is told once
    told = [place for place in (1, 0, 4) if dimensions.index(dimensions[place]) == place]
    scatter = {
        "type": "scatter",
        "dimensions": dimensions,
        "encode": {"x": 0, "y": 1, "itemName": 3, "tooltip": told},
        "cursor": "pointer",
    }
    series: list[Options] = []
    for place, count in enumerate(counts):
        look = {"color": theme.series[place % len(theme.series)], "borderColor": theme.paper, "borderWidth": 0.5}
        series.append(
            {
                **scatter,
                "name": f"{count} stage{'s' * (count != 1)}",
                "symbol": SYMBOLS[place % len(SYMBOLS)],
                "symbolSize": 9,
                "itemStyle": {**look, "opacity": 0.8, "decal": {"symbol": "none"}},
                "data": [_point(value(point), theme, point) for point in shown if point.stages == count],
            }
        )
    by_number = {point.number: point for point in known}
    chosen = [(by_number[number], "") for number in [selected] if number in by_number]
    pins = [(by_number[number], PINS[place]) for place, number in enumerate(pinned[: len(PINS)]) if number in by_number]
    series += [
        {
            "type": "line",
            "name": "front",
            "step": "end",
            "symbol": "none",
            "silent": True,
            "color": theme.ink,
            "lineStyle": {"width": 1.5, "color": theme.ink},
            "data": [each[:2] for each in front],
            "z": 1,
            "markLine": _budget(None if by_latency else budget_macs, unit, divisor, theme),
        },
        {
            **scatter,
            **_ring(theme.accent, 20),
            "name": "selected",
            "data": [_marked(value(p), t, theme) for p, t in chosen],
        },
        {**scatter, **_ring(theme.ink, 17), "name": "pinned", "data": [_marked(value(p), t, theme) for p, t in pins]},
    ]
    names: list[Options] = [{"name": each["name"]} for each in series[: len(counts)]]
    names += [{"name": "front", "icon": STEPS}] if front else []
    names += [{"name": name} for name, found in (("selected", chosen), ("pinned", pins)) if found]
    return frame(
        theme,
        _description(known, kept, score_name, unit, [value(p) for p, _ in (*chosen, *pins)], front),
        tooltip=tooltip(theme),
        legend=legend(theme, data=names, itemWidth=14),
        grid={"left": 64, "right": 56, "top": 58, "bottom": 46},
        xAxis=value_axis(
            theme,
            f"{unit} of one image" if by_latency else unit,
            scale=True,
            nameLocation="middle",
            nameGap=26,
            axisLine={"show": True, "lineStyle": {"color": theme.line}},
        ),
        yAxis=value_axis(theme, score_name, scale=True),
        series=series,
    )


def choose(
    points: Sequence[Tried],
    *,
    stage_counts: Collection[int] | None = None,
    placed: Mapping[int, Collection[str]] | None = None,
) -> list[Tried]:
    """The points with one of the numbers of stages, and at each stage named one of the blocks allowed there."""
    return [
        point
        for point in points
        if (stage_counts is None or point.stages in stage_counts) and _is_placed(point, placed or {})
    ]


def _is_placed(point: Tried, placed: Mapping[int, Collection[str]]) -> bool:
    stages = point.placement
    return all(
        stage < len(stages) and not set(stages[stage].split("+")).isdisjoint(blocks) for stage, blocks in placed.items()
    )


def blocks_at(points: Sequence[Tried]) -> list[list[str]]:
    """The letters of all blocks that stand at each stage in some network: what `placed` can be chosen from."""
    found: list[set[str]] = []
    for point in points:
        for stage, letters in enumerate(point.placement):
            if stage == len(found):
                found.append(set())
            found[stage].update(letters.split("+"))
    return [sorted(letters) for letters in found]


def thinned(points: Sequence[Tried]) -> list[Tried]:
    """At most MOST_POINTS or so: the front whole, and of the others each so many-th."""
    step = -(-len(points) // MOST_POINTS)
    return [point for place, point in enumerate(points) if point.on_front or not place % max(1, step)]


def trial_number(value: object) -> int | None:
    """The trial of a point that was clicked, by the value that the chart gives back; None for what is no trial."""
    is_trial = isinstance(value, list) and len(value) > 2 and isinstance(value[2], int)
    return value[2] if is_trial else None  # type: ignore[index]


def _point(value: list[Any], theme: Theme, point: Tried) -> list[Any] | Options:
    """A point; those of the front are larger, with an edge."""
    if not point.on_front:
        return value
    return {"value": value, "symbolSize": 13, "itemStyle": {"borderColor": theme.ink, "borderWidth": 1.5, "opacity": 1}}


def _ring(colour: str, size: int) -> Options:
    style = {"color": "transparent", "borderColor": colour, "borderWidth": 2.5, "decal": {"symbol": "none"}}
    return {"symbol": "circle", "symbolSize": size, "itemStyle": style, "color": colour, "z": 6}


def _marked(value: list[Any], letter: str, theme: Theme) -> Options:
    label = {
        "show": bool(letter),
        "formatter": letter,
        "position": "top",
        "color": theme.ink,
        "fontWeight": 700,
        "fontSize": 13,
    }
    return {"value": value, "label": label}


def _budget(budget_macs: int | None, unit: str, divisor: float, theme: Theme) -> Options:
    told = "" if budget_macs is None else f"budget {budget_macs / divisor:,.4g} {unit}"
    return {
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": theme.ink, "type": [6, 4], "width": 1.5},
        "label": {"formatter": told, "position": "end", "color": theme.ink, "fontSize": SMALL + 1},
        "data": [] if budget_macs is None else [{"xAxis": budget_macs / divisor}],
    }


def _description(
    known: Sequence[Tried],
    kept: Sequence[Tried],
    score_name: str,
    unit: str,
    chosen: Sequence[Sequence[Any]],
    front: Sequence[Sequence[Any]],
) -> str:
    count = f"{len(kept):,} of {len(known):,} networks" if len(kept) < len(known) else f"{len(known):,} networks"
    parts = [f"{score_name} over {unit} of {count}, as points"]
    if front:
        best = max(front, key=lambda each: each[1])
        parts.append(f"{len(front):,} on the front, the highest {best[1]:g} at {best[0]:g} {unit}, trial {best[3]}")
    parts += [f"chosen: trial {each[3]} with {each[1]:g} at {each[0]:g} {unit}" for each in chosen]
    return "; ".join(parts) + "."
