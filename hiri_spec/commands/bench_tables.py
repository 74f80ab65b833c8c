"""What `hiri-spec bench` prints: its tables, and the lines above and below them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table

from ..cost import CONVENTION
from ..quantities import format_amount

if TYPE_CHECKING:
    from ..nn.bench import BenchInfo, ModeRow, NetworkRow, Profile, Spread

NONE = "–"
BEST = "*"


def _table(*columns: str, left: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < left else "right", overflow="fold")
    return table


def tell_settings(info: BenchInfo) -> str:
    """What was measured, on what, and how often."""
    told = info.settings
    where = f"{told['device_name']}, {told['threads']} threads" if told["device"] == "cpu" else told["device_name"]
    return escape(f"{where}, {told['dtype']}, torch {told['torch']}, {told['rounds']} rounds in turn")


def networks_table(info: BenchInfo) -> Table:
    """One line a network: its size, its best mode, and how both compare with the first's."""
    batch = info.settings["batch"]
    columns = ["network", "from", "best mode", "params M", "GMACs", "/ first", "ms, batch 1", "/ first", "time / MACs"]
    if batch:
        columns += [f"images/s, batch {batch}", "/ first"]
    table = _table(*columns, left=3)
    for network in info.networks:
        latencies = {mode.mode: mode.latency_ms for mode in network.modes}
        speeds = {mode.mode: mode.images_per_second for mode in network.modes}
        cells = [network.label, network.source, network.best_mode or NONE, f"{network.params / 1e6:.2f}"]
        cells += [f"{network.macs / 1e9:.3f}", _number(network.macs_of_first)]
        cells += [
            _middle(latencies.get(network.best_mode or "")),
            _middle(network.latency_of_first),
            _flag(network),
        ]
        if batch:
            cells.append(_middle(speeds.get(network.best_throughput_mode or "")))
            cells.append(_middle(network.throughput_of_first))
        table.add_row(*map(escape, cells))
    return table


def _flag(network: NetworkRow) -> str:
    """The time ratio over the MACs ratio, marked where time doesn't follow MACs."""
    if network.time_over_macs is None:
        return NONE
    return f"{_number(network.time_over_macs)}{'' if network.follows_macs else ' !'}"


def modes_table(info: BenchInfo) -> Table:
    """One line a network and mode: times with quartiles, ratios, the share of the peak."""
    batch = info.settings["batch"]
    columns = ["network", "mode", "ms, batch 1", "quartiles", "/ first", "/ eager", "GMACs/s", "of peak"]
    if batch:
        columns += [f"images/s, batch {batch}", "quartiles", "/ first"]
    table = _table(*columns, left=2)
    for network in info.networks:
        for index, mode in enumerate(network.modes):
            label = network.label if index == 0 else ""
            table.add_row(*map(escape, [label, *_mode_cells(network, mode, has_throughput=bool(batch))]))
        table.add_section()
    return table


def _mode_cells(network: NetworkRow, mode: ModeRow, *, has_throughput: bool) -> list[str]:
    if mode.problem is not None:
        return [mode.mode, "failed", "see below"]
    if mode.latency_ms is None or mode.share_of_peak is None or mode.macs_per_second is None:
        return [mode.mode, *[NONE] * (9 if has_throughput else 6)]
    best = f" {BEST}" if mode.mode == network.best_mode else "  "
    cells = [mode.mode, f"{_number(mode.latency_ms.median)}{best}", _quartiles(mode.latency_ms)]
    cells += [_middle(mode.latency_of_first), _middle(mode.latency_of_eager)]
    cells += [_number(mode.macs_per_second / 1e9), f"{mode.share_of_peak.median:.0%}"]
    if has_throughput and mode.images_per_second is not None:
        best = f" {BEST}" if mode.mode == network.best_throughput_mode else "  "
        cells += [f"{_number(mode.images_per_second.median)}{best}", _quartiles(mode.images_per_second)]
        cells.append(_middle(mode.throughput_of_first))
    return cells


def _number(value: float) -> str:
    """Three significant digits, and all those before the point."""
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{min(6, max(0, digits))}f}"


def _middle(value: Spread | None) -> str:
    return NONE if value is None else _number(value.median)


def _quartiles(value: Spread) -> str:
    return f"{_number(value.lower)}–{_number(value.upper)}"


def tell_footer(info: BenchInfo) -> list[str]:
    """How to read the tables, and what the flagged networks are."""
    within = info.follows_macs_within
    lines = [
        f"peak: {format_amount(info.peak_macs_per_second)}MACs/s, {info.peak_kernel}, timed in the same rounds",
        f"{CONVENTION}; attention products are counted, the classifier included.",
        f"{BEST}: best mode. Ratios are medians over the rounds, of times taken in the same round.",
        f"!: time departs from MACs, against the first network, by more than {within} times.",
    ]
    for network in info.networks:
        if network.follows_macs is False and network.latency_of_first is not None:
            time, macs = network.latency_of_first.median, network.macs_of_first
            lines.append(f"! {network.label}: {time:.2f} times the first's time with {macs:.2f} times its MACs")
    return lines


def profile_table(profile: Profile) -> Table:
    """One line an operator, dearest first, and the sum of all."""
    table = _table("operator", "calls", "ms", "share", left=1)
    table.title = f"{profile.label} {profile.mode}, batch {profile.batch}"
    table.title_justify, table.title_style = "left", "bold"
    for row in profile.rows:
        table.add_row(escape(row.name), f"{row.calls:g}", f"{row.self_ms:.2f}", f"{row.share:.1%}")
    shown = sum(row.share for row in profile.rows)
    if shown < 0.9995:
        table.add_row("others", "", f"{(1 - shown) * profile.total_ms:.2f}", f"{1 - shown:.1%}")
    table.add_section()
    table.add_row("all", "", f"{profile.total_ms:.2f}", "100.0%")
    return table
