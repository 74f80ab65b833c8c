"""What the figures for papers share: their size, their axes, and being written twice, as SVG and PNG."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from hiri_spec import SpecError
from hiri_spec.errors import Problem
from hiri_spec.files import write_bytes

COLOURS = ("#c8553d", "#2a9d8f", "#e9a23b", "#5b6c8f", "#7b5ea7")
MARKERS = ("o", "s", "^", "D", "v")


def new_figure() -> tuple[Any, Any]:
    """A matplotlib figure and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 3.8), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def label_costs(axes: Any, sides: list[int]) -> None:
    """Axes of cost over resolution."""
    axes.set_xticks(sorted(set(sides)))
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("image side in pixels")
    axes.set_ylabel("GMACs, counted")


def save_figure(figure: Any, folder: Path, name: str) -> str:
    """Write a figure as SVG and PNG and return the SVG's name; the same data give the same bytes."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        for suffix, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            content = io.BytesIO()
            figure.savefig(content, format=suffix, metadata=metadata)
            write_bytes(folder / f"{name}.{suffix}", content.getvalue())
    return f"{name}.svg"


def make_folder(folder: Path) -> None:
    """Make the folder of --out; raises SpecError where it can't be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError(Problem(f"{folder} cannot be made: {reason}; choose another folder", "--out")) from None
