"""Costs and differences as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from .cost import Cost, CostRow
from .differences import Change
from .graph import Shapes, streams_of
from .module_cost import ModuleCost
from .quantities import format_bytes, format_resolution
from .schema import ModelSpec


def _table(title: str | None = None) -> Table:
    from rich import box

    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False
    )


def totals_table(costs: Sequence[Cost], title: str) -> Table:
    """One line a resolution: parameters, GMACs, activation memory."""
    table = _table(title)
    for name in ("resolution", "params M", "GMACs", "inference memory", "training memory"):
        table.add_column(name, justify="right", no_wrap=True)
    for cost in costs:
        table.add_row(
            format_resolution(cost.resolution),
            f"{cost.params / 1e6:.2f}",
            f"{cost.macs / 1e9:.3f}",
            format_bytes(cost.memory_bytes),
            format_bytes(cost.training_memory_bytes),
        )
    return table


def breakdown_table(costs: Sequence[Cost], by: str, *, with_memory: bool = True) -> Table:
    """One line a stage, block or kind of operation; the resolutions side by side, or of one its memory too."""
    has_memory = with_memory and len(costs) == 1 and by != "op"
    breakdowns = [list(getattr(cost, f"by_{by}")()) for cost in costs]
    table = _table()
    table.add_column(by, no_wrap=True)
    if by != "op":
        table.add_column("what")
    else:
        table.add_column("count", justify="right", no_wrap=True)
    table.add_column("params", justify="right", no_wrap=True)
    for cost in costs:
        size = format_resolution(cost.resolution)
        if by != "op":
            table.add_column(f"output @{size}", justify="right", no_wrap=True)
        table.add_column(f"MMACs @{size}", justify="right", no_wrap=True)
        table.add_column("%", justify="right", no_wrap=True)
        if has_memory:
            table.add_column("inference memory", justify="right", no_wrap=True)
            table.add_column("training memory", justify="right", no_wrap=True)
    by_name = [{row.name: row for row in rows} for rows in breakdowns]
    for row in breakdowns[0]:
        table.add_row(*_cells([rows[row.name] for rows in by_name], costs, by, has_memory=has_memory))
    return table


def _cells(rows: Sequence[CostRow], costs: Sequence[Cost], by: str, *, has_memory: bool) -> list[str]:
    cells = [rows[0].name, str(rows[0].count) if by == "op" else rows[0].kind, f"{rows[0].params:,}"]
    for row, cost in zip(rows, costs, strict=True):
        if by != "op":
            cells.append(format_shape(row.output))
        cells += [f"{row.macs / 1e6:,.1f}", f"{100 * row.macs / max(1, cost.macs):.1f}"]
        if has_memory:
            cells += [format_bytes(row.memory_bytes), format_bytes(row.training_memory_bytes or 0)]
    return cells


def modules_table(rows: Sequence[ModuleCost], size: tuple[int, int], macs: int) -> Table:
    """One line a module path; `macs` are the whole network's."""
    table = _table()
    for name in ("module", "what"):
        table.add_column(name, overflow="fold")
    for name in ("params", f"output @{format_resolution(size)}", "MMACs", "%", "inference memory"):
        table.add_column(name, justify="right")
    for row in rows:
        share = (f"{row.macs / 1e6:,.1f}", f"{100 * row.macs / max(1, macs):.1f}")
        shape = format_shape(row.output)
        table.add_row(row.name, row.kind, f"{row.params:,}", shape, *share, format_bytes(row.memory_bytes))
    return table


def format_shape(shapes: Shapes | None) -> str:
    """320x14x14 for channels, height, width; of several streams the first, and how many more."""
    if shapes is None:
        return ""
    shape, *more = streams_of(shapes)
    text = "x".join(map(str, shape))
    return f"{text} + {len(more)} more" if more else text


def changes_table(changes: Sequence[Change]) -> Table:
    """One line a difference."""
    table = _table()
    for name in ("path", "before", "after"):
        table.add_column(name, overflow="fold")
    for change in changes:
        table.add_row(escape(change.path), _value(change.before), _value(change.after))
    return table


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return escape("{" + ", ".join(f"{key}: {_value(item)}" for key, item in value.items()) + "}")
    return "–" if value is None else escape(str(value))


def cost_change_table(before: Sequence[Cost], after: Sequence[Cost]) -> Table:
    """What the differences do to the cost, one line a measure and resolution."""
    table = _table()
    for name in ("cost", "before", "after", "change"):
        table.add_column(name, justify="left" if name == "cost" else "right")
    measures = [("params M", before[0].params / 1e6, after[0].params / 1e6)]
    for old, new in zip(before, after, strict=True):
        sizes = dict.fromkeys((format_resolution(old.resolution), format_resolution(new.resolution)))
        size = " → ".join(sizes)
        measures += [
            (f"GMACs @{size}", old.macs / 1e9, new.macs / 1e9),
            (f"inference memory MiB @{size}", old.memory_bytes / 2**20, new.memory_bytes / 2**20),
            (f"training memory MiB @{size}", old.training_memory_bytes / 2**20, new.training_memory_bytes / 2**20),
        ]
    for name, was, now in measures:
        table.add_row(name, f"{was:.3f}", f"{now:.3f}", f"{100 * (now / was - 1):+.1f} %")
    return table


def list_table(models: Sequence[ModelSpec], costs: Sequence[Cost]) -> Table:
    """The built-in specs, one line each."""
    table = _table()
    for name in ("name", "resolution", "params M", "GMACs", "what"):
        table.add_column(name, justify="left" if name in ("name", "what") else "right", overflow="fold")
    for model, cost in zip(models, costs, strict=True):
        size = format_resolution(cost.resolution)
        sums = (f"{cost.params / 1e6:.2f}", f"{cost.macs / 1e9:.3f}")
        table.add_row(model.name, size, *sums, escape(model.description or ""))
    return table
