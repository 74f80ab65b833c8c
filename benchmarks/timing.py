"""Medians of several runs, and comparisons in turn so that a noisy machine does not decide."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def median_seconds(call: Callable[[], object], runs: int = 7) -> float:
    """Median wall time of several calls, after one that is not counted."""
    call()
    return statistics.median(seconds(call) for _ in range(runs))


def alternate(first: Callable[[], object], second: Callable[[], object], runs: int = 7) -> tuple[float, float, float]:
    """Median times of two calls made in turn, and the median of their ratios pair by pair."""
    first()
    second()
    pairs = [(seconds(first), seconds(second)) for _ in range(runs)]
    ratio = statistics.median(a / b for a, b in pairs)
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs), ratio


def python(*arguments: str) -> Callable[[], object]:
    """A call that runs this Python with some arguments as a process of its own."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, capture_output=True)


def report(what: str, measured: str, target: str, is_met: bool) -> bool:
    """Print one line: what was measured, the figure, the target, and whether it is met."""
    print(f"{'met   ' if is_met else 'MISSED'} {what}: {measured} (target: {target})", flush=True)
    return is_met
