"""What `hiri-spec bench` prints: its tables, and the lines above and below them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
NAMES = ("network", "network, mode", "best mode", "operator")
"""Columns of names; all others are of numbers."""


def _table(columns: Sequence[str], rows: Sequence[Sequence[str] | None], title: str | None = None) -> Table:
    """A table of such rows, None between sections; on a narrow terminal names are folded, numbers are not."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, title=title)
    table.title_justify, table.title_style = "left", "bold"
    for column in columns:
        is_name = column in NAMES
        table.add_column(column, justify="left" if is_name else "right", overflow="fold", no_wrap=not is_name)
    for row in rows:
        if row is None:
            table.add_section()
        else:
            table.add_row(*map(escape, row))
    return table


def tell_settings(info: BenchInfo) -> str:
    """What was measured, on what, and how often."""
    told = info.settings
    threads, rounds = _count(told["threads"], "thread"), _count(told["rounds"], "round")
    where = f"{told['device_name']}, {threads}" if told["device"] == "cpu" else told["device_name"]
    return escape(f"{where}, {told['dtype']}, torch {told['torch']}, {rounds} in turn")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def networks_table(info: BenchInfo) -> Table:
    """One line a network: its size, its best mode at batch 1, and how both compare with the first's."""
    rows = []
    for network in info.networks:
        latency = next((mode.latency_ms for mode in network.modes if mode.mode == network.best_mode), None)
        rows.append(
            [
                network.label,
                f"{network.params / 1e6:.2f}",
                f"{network.macs / 1e9:.3f}",
                _number(network.macs_of_first),
                _middle(latency),
                _middle(network.latency_of_first),
                _flag(network),
                network.best_mode or NONE,
            ]
        )
    return _table(["network", "params M", "GMACs", "/first", "ms", "/first", "time/MACs", "best mode"], rows)


def _flag(network: NetworkRow) -> str:
    """The time ratio over the MACs ratio, marked where time doesn't follow MACs."""
    if network.time_over_macs is None:
        return NONE
    return f"{_number(network.time_over_macs)}{'  ' if network.follows_macs else ' !'}"


def latency_table(info: BenchInfo) -> Table:
    """One line a network and mode: time of one image, ratios, the share of the peak."""

    def cells(network: NetworkRow, mode: ModeRow) -> list[str] | None:
        if mode.latency_ms is None or mode.share_of_peak is None or mode.macs_per_second is None:
            return None
        return [
            _number(mode.latency_ms.median) + _mark(mode.mode == network.best_mode),
            _quartiles(mode.latency_ms),
            _middle(mode.latency_of_first),
            _middle(mode.latency_of_eager),
            _number(mode.macs_per_second / 1e9),
            f"{mode.share_of_peak.median:.0%}",
        ]

    return _modes_table(info, ["ms", "quartiles", "/first", "/eager", "GMACs/s", "of peak"], cells, "latency, batch 1")


def throughput_table(info: BenchInfo) -> Table:
    """One line a network and mode: images a second in batches, and how many times those of the first network."""

    def cells(network: NetworkRow, mode: ModeRow) -> list[str] | None:
        if mode.images_per_second is None:
            return None
        return [
            _number(mode.images_per_second.median) + _mark(mode.mode == network.best_throughput_mode),
            _quartiles(mode.images_per_second),
            _middle(mode.throughput_of_first),
        ]

    title = f"throughput, batch {info.settings['batch']}"
    return _modes_table(info, ["images/s", "quartiles", "/first"], cells, title)


def _modes_table(
    info: BenchInfo, columns: Sequence[str], cells: Callable[[NetworkRow, ModeRow], list[str] | None], title: str
) -> Table:
    rows: list[list[str] | None] = []
    for network in info.networks:
        rows.append([network.label, *[""] * len(columns)])
        for mode in network.modes:
            without = ["failed" if mode.problem is not None else NONE, *[""] * (len(columns) - 1)]
            rows.append([f"  {mode.mode}", *(cells(network, mode) or without)])
        rows.append(None)
    return _table(["network, mode", *columns], rows, title)


def _mark(is_best: bool) -> str:
    return f" {BEST}" if is_best else "  "


def _number(value: float) -> str:
    """Three significant digits, and all those before the point."""
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(float(f"{value:.3g}")))  # 99.96 is 100
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
        f"{BEST} best mode; /first against the first network (above best mode against best mode, below mode by mode):",
        "  medians over the rounds, of times taken in the same round.",
        f"! time departs from MACs, both against the first network, by more than {within} times.",
    ]
    if timms := [network.label for network in info.networks if network.source == "timm"]:
        lines.append(f"built by timm: {', '.join(timms)}")
    for network in info.networks:
        if network.follows_macs is False and network.latency_of_first is not None:
            time, macs = network.latency_of_first.median, network.macs_of_first
            lines.append(
                f"! {network.label}: {_number(time)} times the first's time with {_number(macs)} times its MACs"
            )
    return lines


def profile_table(profile: Profile) -> Table:
    """One line an operator, dearest first, and the sum of all."""
    rows: list[list[str] | None] = [
        [row.name, f"{row.calls:g}", f"{row.self_ms:.2f}", f"{row.share:.1%}"] for row in profile.rows
    ]
    shown = sum(row.share for row in profile.rows)
    if shown < 0.9995:
        rows.append(["others", "", f"{(1 - shown) * profile.total_ms:.2f}", f"{1 - shown:.1%}"])
    rows += [None, ["all", "", f"{profile.total_ms:.2f}", "100.0%"]]
    title = f"{profile.label} {profile.mode}, batch {profile.batch}"
    return _table(["operator", "calls", "ms", "share"], rows, title)
