"""Cost over resolution as a picture: colour and marker tell the network, the line its form."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from ..figures import TEXT, label_costs, new_figure, place_labels, save_figure, style
from .counted import AS_IT_IS, SCALED_UP, Point


def draw(points: Sequence[Point], folder: Path) -> None:
    """GMACs over the side of the image; the line of a scaled network breaks off where it gets one more stage."""
    from matplotlib.lines import Line2D

    figure, axes = new_figure(6.6, 4.8)
    names = list(dict.fromkeys(point.name for point in points))
    for index, name in enumerate(names):
        own = sorted((point for point in points if point.name == name), key=lambda point: max(point.resolution))
        _plot(axes, [point for point in own if point.form == AS_IT_IS], style(index), "--", "white")
        scaled = [point for point in own if point.form == SCALED_UP]
        for _, group in groupby(scaled, key=lambda point: point.stages):
            _plot(axes, list(group), style(index), "-", None)
    label_costs(axes, [max(point.resolution) for point in points])
    axes.margins(y=0.1)
    networks = [Line2D([], [], linestyle="None", label=name, **style(index)) for index, name in enumerate(names)]
    figure.legend(handles=networks, loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    looks: dict[str, Any] = {"color": TEXT, "marker": "o"}
    forms = [Line2D([], [], linestyle="--", markerfacecolor="white", label=AS_IT_IS, **looks)]
    if any(point.form == SCALED_UP for point in points):
        forms.append(Line2D([], [], linestyle="-", label=SCALED_UP, **looks))
    figure.legend(handles=forms, loc="outside lower center", ncols=2, frameon=False, fontsize=8, handlelength=3)
    if labels := _stage_labels(points):
        place_labels(figure, axes, labels, gap=6)
    save_figure(figure, folder, "scale")


def _plot(axes: Any, points: Sequence[Point], look: dict[str, Any], line: str, face: str | None) -> None:
    sides, costs = [max(point.resolution) for point in points], [point.macs / 1e9 for point in points]
    face = face or look["color"]
    axes.plot(sides, costs, linestyle=line, linewidth=1.5, markersize=5.5, markerfacecolor=face, **look)


def _stage_labels(points: Sequence[Point]) -> list[tuple[float, float, str]]:
    """How many stages scaled networks have, at the cheapest of those of one size that have as many."""
    lowest: dict[tuple[int, int], float] = {}
    for point in points:
        if point.form == SCALED_UP:
            place = max(point.resolution), point.stages
            lowest[place] = min(point.macs / 1e9, lowest.get(place, point.macs / 1e9))
    return [(side, gmacs, f"{stages} stages") for (side, stages), gmacs in lowest.items()]
