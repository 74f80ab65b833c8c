"""Medians of several runs, and comparisons in turn so that a noisy machine does not decide."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable

from hiri_spec.nn.timing import Limits, compare, interleave, spread, time_call


def median_seconds(call: Callable[[], object], runs: int = 7) -> float:
    """Median wall time of several calls, after one that is not counted."""
    call()
    return statistics.median(time_call(call) for _ in range(runs))


def alternate(first: Callable[[], object], second: Callable[[], object], runs: int = 7) -> tuple[float, float, float]:
    """Median times of two calls made in turn, and the median of their ratios pair by pair."""
    rounds = interleave([first, second], Limits(rounds=runs, seconds=None), turn_seconds=0)
    one, other = rounds.column(0), rounds.column(1)
    return spread(one).median, spread(other).median, compare(one, other).median


def python(*arguments: str) -> Callable[[], object]:
    """A call that runs this Python with some arguments as a process of its own."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, capture_output=True)


def report(what: str, measured: str, target: str, is_met: bool) -> bool:
    """Print one line: what was measured, the figure, the target, and whether it is met."""
    print(f"{'met   ' if is_met else 'MISSED'} {what}: {measured} (target: {target})", flush=True)
    return is_met
