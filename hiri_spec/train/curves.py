"""The curves of a run as a picture: loss, accuracy and learning rate over its epochs."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

from ..errors import Problem, SpecError
from ..plotting import render_png
from ..saving import write_bytes
from .run_folder import CURVES_NAME, METRICS_NAME, RunFolder

Row = dict[str, float | None]
OWN, AVERAGE, TRAINING, FAINT = "#2a6f97", "#c8553d", "#8a949e", "#d9dde1"
MOST_MARKED = 30
"""More epochs than this are a line without dots."""

NO_FIGURES = "none: nothing in the held-out images could be right or wrong"


def read_metrics(path: Path) -> list[Row]:
    """The rows of metrics.csv as numbers, None where a cell is empty; raises SpecError if it isn't one."""
    try:
        with path.open(newline="") as stream:
            return [
                {name: float(value) if value else None for name, value in row.items()} for row in csv.DictReader(stream)
            ]
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}; it is written at the end of each epoch"
    except (ValueError, TypeError, UnicodeDecodeError, csv.Error):
        message = "is not as hiri-spec train writes it"
    raise SpecError(Problem(message, file=str(path), code="unreadable"))


def write_curves(folder: RunFolder, *, score: str = "top1", label: str = "top-1", least_age_s: float = 0) -> None:
    """Draw what metrics.csv has into curves.png, whole or not at all; but not if a younger picture is there.

    `score` is the figure in the middle, `label` its name. It takes some tenths of a second, which `least_age_s` keeps
    away from short epochs.
    """
    place = folder.path / CURVES_NAME
    if least_age_s and place.exists() and time.time() - place.stat().st_mtime < least_age_s:
        return
    rows = read_metrics(folder.path / METRICS_NAME)
    if not rows:
        return
    title = folder.read_run().title
    write_bytes(place, render_png(lambda: draw_curves(rows, title, score, label)))


def draw_curves(rows: list[Row], title: str, score: str = "top1", label: str = "top-1") -> Any:
    """A matplotlib figure of three panels, one below the other."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 9), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title.replace("$", r"\$"), fontsize=11)
    loss, accuracy, rate = figure.subplots(3, sharex=True, height_ratios=(3, 3, 1.4))
    _line(loss, rows, "train_loss", TRAINING, "training (augmented, as minimised)")
    _line(loss, rows, "loss", OWN, "held out")
    _line(loss, rows, "ema_loss", AVERAGE, "held out, moving average")
    loss.set_ylabel("loss")
    _line(accuracy, rows, score, OWN, _best(rows, score, "network"))
    _line(accuracy, rows, f"ema_{score}", AVERAGE, _best(rows, f"ema_{score}", "moving average"))
    accuracy.set_ylabel(f"{label} %")
    if not accuracy.lines:
        accuracy.set_yticks([])
        accuracy.text(0.5, 0.5, NO_FIGURES, transform=accuracy.transAxes, ha="center", va="center", color=TRAINING)
    _line(rate, rows, "learning_rate", OWN, "_learning rate")
    rate.set_ylabel("learning rate\nafter the epoch")
    rate.ticklabel_format(axis="y", scilimits=(-2, 3))
    rate.set_xlabel("epoch")
    rate.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in (loss, accuracy, rate):
        axes.grid(color=FAINT, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in (loss, accuracy):
        if axes.lines:
            axes.legend(frameon=False, fontsize=9)
    return figure


def _line(axes: Any, rows: list[Row], name: str, colour: str, label: str) -> None:
    points = [(row["epoch"], row[name]) for row in rows if row.get(name) is not None]
    if points:
        marker = "o" if len(points) <= MOST_MARKED else None
        axes.plot(*zip(*points, strict=True), color=colour, label=label, marker=marker, markersize=3, linewidth=1.5)


def _best(rows: list[Row], name: str, what: str) -> str:
    """What a curve shows, with its highest value."""
    values = [value for row in rows if (value := row.get(name)) is not None]
    return f"{what}, best {max(values):.2f} %" if values else what
