"""The figures of the paper, drawn anew: what we count filled, what is reported hollow."""

from __future__ import annotations

from pathlib import Path

import hiri_spec

from ..figures import TEXT, label_costs, new_figure, place_labels, save_figure, style
from .reported import Chart, Figure


def draw_figure1(reported: Figure, folder: Path) -> list[str]:
    """Cost over resolution."""
    figure, axes = new_figure(6.4, 4.2)
    series: dict[str, list[tuple[int, float]]] = {}
    for row in reported.rows:
        cost = hiri_spec.cost(row.spec, row.resolution)
        series.setdefault(row.label.rsplit(",", 1)[0], []).append((max(cost.resolution), cost.macs / 1e9))
    for index, (name, points) in enumerate(series.items()):
        sizes, costs = zip(*points, strict=True)
        axes.plot(sizes, costs, linewidth=1.6, markersize=6, label=f"{name}, counted", **style(index))
    by_label = {row.label: row for row in reported.rows}
    labels = []
    for line, dashes in zip(reported.reported_lines, ((4, 2), (1, 1.5)), strict=True):
        places = [(by_label[label].resolution, by_label[label].gflops) for label in line.rows]
        sides, gflops = zip(*places, strict=True)
        axes.plot(
            sides,
            gflops,
            color=TEXT,
            linewidth=1.2,
            dashes=dashes,
            marker="o",
            markersize=10,
            markerfacecolor="none",
            label=f"{line.label}, reported",
        )
        labels += [(side, cost, f"{cost:.1f}") for side, cost in places if side is not None and cost is not None]
    label_costs(axes, [side for points in series.values() for side, _ in points])
    axes.set_ylabel("GMACs, counted; GFLOPs, reported")
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=8, handlelength=3)
    place_labels(figure, axes, labels, gap=8)
    return [save_figure(figure, folder, "figure1")]


def draw_figure6(reported: Chart, folder: Path) -> list[str]:
    """Accuracy over cost, as published."""
    figure, axes = new_figure(6.8, 4.8)
    for index, name in enumerate(dict.fromkeys(point.network for point in reported.points)):
        own = [point for point in reported.points if point.network == name]
        joined = [point for point in own if point.is_joined]
        look = style(index)
        axes.plot([p.gflops for p in joined], [p.top1 for p in joined], color=look["color"], linewidth=1.3, zorder=2)
        gflops, top1 = [point.gflops for point in own], [point.top1 for point in own]
        axes.plot(gflops, top1, linestyle="None", markersize=6.5, markerfacecolor="white", label=name, **look)
    axes.set_xscale("log", base=2)
    axes.set_xticks([2, 4, 8, 16, 32], ["2", "4", "8", "16", "32"])
    axes.minorticks_off()
    axes.set_xlim(1.8, 60)
    axes.set_xlabel("GFLOPs, reported (1 multiply-add = 1)")
    axes.set_ylabel("ImageNet-1K top-1 %, reported")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    labels = [
        (point.gflops, point.top1, point.label if point.is_joined else f"{point.network}-{point.label}")
        for point in reported.points
    ]
    place_labels(figure, axes, labels)
    return [save_figure(figure, folder, "figure6")]
