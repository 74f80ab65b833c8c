"""The tables of `explorer.trust` on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from .agreement import Agreement, Interval


def describe_truth(agreement: Agreement) -> str:
    """What training found, and how far it agrees with itself."""
    lines = [
        f"{agreement.truth}: {agreement.networks} networks, {agreement.worst:.2f} to {agreement.best:.2f} %, "
        f"standard deviation {agreement.deviation:.2f} between networks"
    ]
    if agreement.seed_deviation is not None:
        lines[0] += f", {agreement.seed_deviation:.2f} between trainings of one ({agreement.repeated} were repeated)"
    if agreement.reliability is not None:
        lines.append(
            f"two single trainings of the same networks agree by Spearman {_shown(agreement.reliability)}: "
            "as much of what is ranked here is chance"
        )
    return "\n".join(lines)


def agreement_table(agreement: Agreement) -> Table:
    """Every score, the one that agrees best first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("score", "Kendall τ", "Spearman ρ", "lost by its best tenth"):
        table.add_column(name, justify="left" if name == "score" else "right")
    for row in agreement.rows:
        table.add_row(row.score, _shown(row.kendall), _shown(row.spearman), f"{row.regret:.2f}")
    return table


def _shown(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
