"""Tables on screen and as Markdown pages; figures for papers as SVG and PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table as RichTable

import hiri_spec
from hiri_spec.files import write_text

from ..figures import COLOURS, MARKERS, label_costs, new_figure, save_figure
from .counted import Table


def as_rich(table: Table) -> RichTable:
    """A table for the screen."""
    rich = RichTable(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, column in enumerate(table.columns):
        rich.add_column(column, justify="left" if index < 2 else "right", overflow="fold")
    for row in table.rows:
        rich.add_row(*row)
    return rich


def as_markdown(table: Table, pictures: Sequence[str]) -> str:
    """A page of docs/."""
    lines = [
        f"# {table.title}",
        "",
        f"Written by `python -m explorer.reproduce {table.name} --out docs/reproduced`.",
        "",
    ]
    lines += ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
    lines += ["| " + " | ".join(row) + " |" for row in table.rows]
    for note in table.notes:
        lines += ["", note]
    for picture in pictures:
        lines += ["", f"![{table.title}]({picture})"]
    return "\n".join(lines) + "\n"


def write_page(table: Table, folder: Path, pictures: Sequence[str] = ()) -> None:
    """Write one page."""
    write_text(folder / f"{table.name}.md", as_markdown(table, pictures))


def draw_figure1(reported: dict[str, Any], folder: Path) -> list[str]:
    """Cost over resolution."""
    figure, axes = new_figure()
    series: dict[str, list[tuple[int, float]]] = {}
    for row in reported["rows"]:
        name = row["label"].rsplit(",", 1)[0]
        macs = hiri_spec.cost(row["spec"], row["resolution"]).macs / 1e9
        series.setdefault(name, []).append((row["resolution"], macs))
    for (name, points), colour, marker in zip(series.items(), COLOURS, MARKERS, strict=False):
        sizes, costs = zip(*points, strict=True)
        axes.plot(sizes, costs, color=colour, marker=marker, linewidth=1.6, markersize=5, label=name)
    label_costs(axes, [row["resolution"] for row in reported["rows"]])
    axes.legend(frameon=False, fontsize=8)
    return [save_figure(figure, folder, "figure1")]


def draw_figure6(reported: dict[str, Any], folder: Path) -> list[str]:
    """Accuracy over cost, as published."""
    figure, axes = new_figure()
    names = list(dict.fromkeys(point["network"] for point in reported["points"]))
    for name, colour, marker in zip(names, COLOURS, MARKERS, strict=True):
        points = [point for point in reported["points"] if point["network"] == name]
        costs, accuracies = [point["gflops"] for point in points], [point["top1"] for point in points]
        axes.plot(costs, accuracies, color=colour, marker=marker, linewidth=1.4, markersize=5, label=name)
        for point in points:
            text, place = point["label"].split(",")[0], (point["gflops"], point["top1"])
            axes.annotate(text, place, xytext=(5, -9), textcoords="offset points", fontsize=7, color=colour)
    axes.set_xlabel("GFLOPs, reported (1 multiply-add = 1)")
    axes.set_ylabel("ImageNet-1K top-1 %, reported")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return [save_figure(figure, folder, "figure6")]
