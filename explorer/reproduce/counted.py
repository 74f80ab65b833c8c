"""Our counts beside the reported figures: rows, ticks and crosses, as plain data to be shown in any form."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hiri_spec
from hiri_spec.cost import CONVENTION, Cost
from hiri_spec.document import parse
from hiri_spec.quantities import format_resolution

REPORTED = Path(__file__).with_name("reported.yaml")
TICK, CROSS = "✓", "✗"
CALIBRATED = (
    "Depths and widths of HIRI-ViT are calibrated to the costs that its text states; they are not the paper's Table I. "
    "GMACs and params are counted by us, GFLOPs and top-1 are reported by the paper; nothing is trained by us."
)


@dataclass(slots=True)
class Table:
    """A table with its notes; `missed` counts the reported figures that are missed without a declared reason."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missed: int = 0


def read_reported() -> dict[str, Any]:
    """The data file."""
    data: dict[str, Any] = parse(REPORTED.read_text(), REPORTED.name).data
    return data


def count_rows(name: str, reported: dict[str, Any]) -> Table:
    """One of the tables of rows: table7, table8, stages, figure1."""
    table = Table(
        name, reported["title"], ("row", "what", "at", "params M", "GMACs", "reported GFLOPs", "", "top-1 reported")
    )
    costs: dict[str, Cost] = {}
    for row in reported["rows"]:
        spec = hiri_spec.load(row["spec"])
        costs[row["label"]] = cost = hiri_spec.cost(spec, row.get("resolution"))
        is_met, says = _compare(row, cost, costs)
        if is_met is False and "deviation" in row:
            table.notes.append(f"{CROSS} {row['label']}: {row['deviation']}.")
        table.missed += is_met is False and "deviation" not in row
        table.rows.append(
            (
                row["label"],
                row.get("what", row["spec"]),
                format_resolution(cost.resolution),
                f"{cost.params / 1e6:.2f}",
                f"{cost.macs / 1e9:.3f}",
                says,
                "" if is_met is None else TICK if is_met else CROSS,
                str(row.get("top1", "")),
            )
        )
    table.notes += [f"{CONVENTION}.", CALIBRATED]
    return table


def _compare(row: dict[str, Any], cost: Cost, costs: dict[str, Cost]) -> tuple[bool | None, str]:
    """Whether what is reported of a row's cost holds, None if nothing is, and what is reported."""
    checks: list[bool] = []
    says: list[str] = []
    if "gflops" in row:
        checks.append(round(cost.macs / 1e9, 1) == row["gflops"])
        says.append(f"{row['gflops']:.1f}")
    if "below" in row:
        checks.append(cost.macs < costs[row["below"]].macs)
        says.append(f"less than row {row['below']}")
    if "above" in row:
        checks.append(cost.macs > costs[row["above"]].macs)
        says.append(f"more than row {row['above']}")
    return (all(checks) if checks else None), ", ".join(says)


def count_backbones(reported: dict[str, Any]) -> Table:
    """Table IX: each backbone at its own resolution, as it is at the higher one, and scaled up to it."""
    size, most = reported["resolution"], reported["most"]
    columns = (
        "backbone",
        "params M",
        "GMACs at 224",
        f"as it is at {size}",
        f"scaled at {size}",
        "of 224",
        "",
        "params M scaled",
    )
    table = Table("table9", reported["title"], columns)
    for name in reported["backbones"]:
        before, naive = hiri_spec.cost(name, 224), hiri_spec.cost(name, size)
        after = hiri_spec.cost(hiri_spec.scale_up(name, resolution=size))
        ratio = after.macs / before.macs
        table.missed += ratio > most
        table.rows.append(
            (
                name,
                f"{before.params / 1e6:.2f}",
                f"{before.macs / 1e9:.3f}",
                f"{naive.macs / 1e9:.3f} ({naive.macs / before.macs:.2f} x)",
                f"{after.macs / 1e9:.3f}",
                f"{ratio:.2f} x",
                TICK if ratio <= most else CROSS,
                f"{after.params / 1e6:.2f}",
            )
        )
    table.notes += [
        f"The text: better, at about the old cost. {TICK}: at most {most} times the cost at 224.",
        f"{CONVENTION}. All figures are counted by us; the scaled networks are `hiri-spec scale`'s.",
    ]
    return table


def list_points(reported: dict[str, Any]) -> Table:
    """The published points of figure 6 with their sources."""
    table = Table("figure6", reported["title"], ("network", "size", "GFLOPs", "top-1", "source"))
    for point in reported["points"]:
        cells = (point["network"], point["label"], f"{point['gflops']:.1f}", f"{point['top1']:.1f}", point["source"])
        table.rows.append(cells)
    table.notes.append("All as reported by the sources named, none measured by us.")
    return table
