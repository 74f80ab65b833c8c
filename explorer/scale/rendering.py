"""Resolutions and takeovers on screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from hiri_spec.quantities import format_resolution

from .counted import Point
from .stages import Takeover

LEFT = ("network", "form", "dearest stage")
QUADRATIC = (
    "Quadratic term: attention's products over all positions, which grow with the square of their number (divided by "
    "r², where keys and values are reduced by r). Attention within windows, over channels or to a pooled grid grows "
    "with the positions, and is not in it."
)


def tell_points(points: Sequence[Point]) -> Table:
    """A line a point, with its cost over that of its network as it is at its own resolution."""
    bases = {point.base_resolution for point in points}
    over = f"of {format_resolution(next(iter(bases)))}" if len(bases) == 1 else "ratio"
    columns = ["network", "at", "form", "stages", "GMACs", over, "dearest stage", "share", "quadratic term"]
    has_latency = any(point.latency_ms is not None for point in points)
    table = _new_table([*columns, "ms"] if has_latency else columns)
    for point in points:
        base = "" if len(bases) == 1 else f" of {format_resolution(point.base_resolution)}"
        cells = [point.name, format_resolution(point.resolution), point.form, str(point.stages)]
        cells += [f"{point.macs / 1e9:.3f}", f"{point.ratio:.2f} x{base}", point.dearest_stage]
        cells += [f"{100 * point.dearest_share:.0f} %", f"{100 * point.quadratic_share:.0f} %"]
        table.add_row(*cells, *([f"{point.latency_ms:.1f}"] if point.latency_ms is not None else []))
    return table


def tell_takeovers(takeovers: Sequence[Takeover], largest: int) -> Table:
    """A line for each side from which on another stage is the dearest."""
    table = _new_table(["network", "form", "stages", "from", "dearest stage", "half of it quadratic"])
    for one in takeovers:
        if one.quadratic_half_from is not None:
            half = f"from {one.quadratic_half_from}"
        else:
            half = f"not up to {largest}" if one.has_quadratic else "never"
        table.add_row(one.name, one.form, str(one.stages), str(one.from_side), one.stage, half)
    return table


def _new_table(columns: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, justify="left" if column in LEFT else "right")
    return table
