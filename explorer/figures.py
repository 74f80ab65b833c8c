"""What the figures for papers share: size, axes, colours, labels that don't overlap, being written as SVG and PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from hiri_spec.files import write_bytes

COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#000000")
"""Those of Okabe and Ito's colours for all kinds of colour vision that have a contrast of 3 to 1 or more on white."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""As many as have no divisor in common with the colours, so that 35 lines differ."""
TEXT = "#333333"
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
FARTHER = (0.0, 4.0, 9.0, 15.0)
"""Points by which a label moves away where there is no room next to its marker."""


def style(index: int) -> dict[str, Any]:
    """Colour and marker of the line of an index."""
    return {"color": COLOURS[index % len(COLOURS)], "marker": MARKERS[index % len(MARKERS)]}


def new_figure(width: float = 5.6, height: float = 3.8) -> tuple[Any, Any]:
    """A matplotlib figure of a size in inches, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def label_costs(axes: Any, sides: Sequence[int]) -> None:
    """Axes of cost over resolution, both logarithmic: a cost that grows with the area is a straight line."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(sorted(set(sides)), [str(side) for side in sorted(set(sides))])
    axes.minorticks_off()
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("image side in pixels")
    axes.set_ylabel("GMACs, counted")


def place_labels(figure: Any, axes: Any, labels: Sequence[tuple[float, float, str]], gap: float = 5.0) -> None:
    """Write a label `gap` points beside each point or farther, where it overlaps least: no marker, label or line.

    Call it last, when the axes have all their lines and limits.
    """
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    markers = axes.transData.transform([(x, y) for x, y, _ in labels])
    lines = [
        _dense(axes.transData.transform(line.get_xydata())) for line in axes.lines if line.get_linestyle() != "None"
    ]
    taken: list[Any] = []
    for x, y, text in labels:
        best: tuple[float, Any, Any] | None = None
        for farther in FARTHER:
            distance = gap + farther
            for right, up in SIDES:
                note = axes.annotate(
                    text,
                    (x, y),
                    xytext=(right * distance, up * distance),
                    textcoords="offset points",
                    fontsize=7,
                    color=TEXT,
                    ha={-1: "right", 0: "center", 1: "left"}[right],
                    va={-1: "top", 0: "center", 1: "bottom"}[up],
                )
                box = note.get_window_extent(renderer).padded(2)
                cost = farther / 4 + _overlap(box, axes.bbox, taken, markers, lines)
                if best is None or cost < best[0]:
                    if best is not None:
                        best[1].remove()
                    best = cost, note, box
                else:
                    note.remove()
        if best is not None:
            taken.append(best[2])


def _overlap(box: Any, inside: Any, taken: Sequence[Any], markers: Any, lines: Sequence[Any]) -> float:
    """How bad a place for a label is."""
    outside = int(box.x0 < inside.x0 or box.x1 > inside.x1 or box.y0 < inside.y0 or box.y1 > inside.y1)
    on_labels = sum(int(box.overlaps(other)) for other in taken)
    on_markers = int(box.padded(6).count_contains(markers))
    on_lines = sum(int(box.count_contains(line) > 0) for line in lines)
    return 100.0 * outside + 20.0 * on_labels + 20.0 * on_markers + 6.0 * on_lines


def _dense(points: Any) -> Any:
    """Points on a line, a few pixels apart."""
    import numpy as np

    steps = np.linspace(0, 1, 200)[:, None]
    parts = [start + steps * (end - start) for start, end in pairwise(points)]
    return np.concatenate(parts) if parts else points


def save_figure(figure: Any, folder: Path, name: str) -> str:
    """Write a figure as SVG and PNG and return the SVG's name; the same data give the same bytes."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        for suffix, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            content = io.BytesIO()
            figure.savefig(content, format=suffix, metadata=metadata)
            write_bytes(folder / f"{name}.{suffix}", content.getvalue())
    return f"{name}.svg"
