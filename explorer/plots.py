"""The Pareto plot of a search, as PNG."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from hiri_spec.cost import CONVENTION
from hiri_spec.files import write_bytes
from hiri_spec.plotting import render_png

from .figures import style
from .interrupts import undivided
from .results import Member, SearchResult

INK, FAINT = "#22303c", "#8a949e"
MOST_LABELS = 8


def load_libraries() -> None:
    """Import what draws and writes tables, which takes a second: Ctrl-C amid that of a C extension can crash Python."""
    with undivided():
        import_module("matplotlib.backends.backend_agg")
        import_module("pandas")


def _groups(result: SearchResult) -> list[tuple[int, dict[str, Any], list[Member]]]:
    """The trials by number of stages, each with its colour and marker."""
    counts = sorted({len(member.spec.stages) for member in result.members})
    return [
        (count, style(index), [m for m in result.members if len(m.spec.stages) == count])
        for index, count in enumerate(counts)
    ]


def _title(result: SearchResult) -> str:
    settings = result.settings
    budget = f"{settings['budget'] / 1e9:g} GMACs at {settings['resolution']} px"
    return f"{len(result.members)} networks within {budget}"


def labelled(front: tuple[Member, ...]) -> list[Member]:
    """The members of the front that get a label: the best and a few spread over the front below it."""
    count = min(MOST_LABELS, len(front))
    places = {round(index * (len(front) - 1) / max(1, count - 1)) for index in range(count)}
    return [front[place] for place in sorted(places)]


def _score_axis(result: SearchResult) -> str:
    return f"{result.score_name} (no training)" if result.is_untrained and not result.is_by_cost else result.score_name


def _cost_axis(result: SearchResult) -> tuple[str, Callable[[Member], float]]:
    """What the front is cheap in, and how much of it a network takes; no number for one that was not timed."""
    if result.is_by_latency:
        return "ms for one image", lambda member: math.nan if member.latency_ms is None else member.latency_ms
    return f"GMACs ({CONVENTION.split(': ')[1]})", lambda member: member.macs / 1e9


def _in_columns(first: list[Any], second: list[Any], blank: Any) -> list[Any]:
    """Entries of a legend of two columns, the shorter one filled up so that each keeps to its own."""
    rows = max(len(first), len(second))
    return [*first, *[blank] * (rows - len(first)), *second, *[blank] * (rows - len(second))]


def pareto_figure(result: SearchResult) -> Any:
    """Score over cost, the Pareto front drawn through: a matplotlib figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    unit, cost = _cost_axis(result)
    kinds: list[Any] = []
    numbered: list[Any] = []
    for count, look, members in _groups(result):
        costs, scores = [cost(m) for m in members], [m.score for m in members]
        dots = axes.scatter(costs, scores, s=20, **look, alpha=0.6, linewidths=0, label=f"{count} stages")
        kinds.append(dots)
    front = result.front
    axes.step([cost(m) for m in front], [m.score for m in front], where="post", color=INK, linewidth=1.2, zorder=3)
    rings = axes.scatter(
        [cost(m) for m in front],
        [m.score for m in front],
        s=42,
        facecolors="none",
        edgecolors=INK,
        linewidths=1.3,
        zorder=4,
        label="Pareto front",
    )
    kinds.append(rings)
    for number, member in enumerate(labelled(front), start=1):
        x, y = cost(member), member.score
        # a front climbs to the right: up on the left and down on the right of a member lies no other
        offset, side = ((-4, 4), "right") if number % 2 else ((5, -11), "left")
        axes.annotate(str(number), (x, y), xytext=offset, textcoords="offset points", ha=side, fontsize=8)
        label = f"{member.sketch}, {member.params / 1e6:.1f} M params"
        numbered.append(axes.scatter([], [], marker=f"${number}$", color=INK, s=30, linewidths=0, label=label))
    axes.margins(y=0.1)
    axes.set_title(_title(result), loc="left", fontsize=12, fontweight="bold", color=INK)
    axes.set_xlabel(unit)
    axes.set_ylabel(_score_axis(result))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    (blank,) = axes.plot([], [], linestyle="none", label=" ")
    handles = _in_columns(kinds, numbered, blank)
    figure.legend(handles=handles, frameon=False, fontsize=8.5, loc="outside lower left", ncols=2)
    return figure


def draw_png(path: Path, result: SearchResult) -> None:
    """The figure as a picture."""
    write_bytes(path, render_png(lambda: pareto_figure(result), metadata={"Software": None}))
