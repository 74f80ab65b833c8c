"""What a trial of the search costs besides its evaluation, at 1,000 trials."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from explorer.results import Member
from explorer.search import search
from explorer.watching import Started, Watcher

from .timing import report

TRIALS = 1000


class Clock(Watcher):
    """Notes when each trial is finished."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def started(self, start: Started) -> None:
        """Begin with the first trial."""
        self.times.append(time.perf_counter())

    def tried(self, member: Member, best: Member) -> None:
        """Note one."""
        self.times.append(time.perf_counter())


def overhead_a_trial() -> bool:
    """Draw, fit, record and store 1,000 trials whose evaluation, counting parameters, takes microseconds."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        search("5gflops", trials=TRIALS, evaluator="params", out=Path(folder) / "run", watcher=clock)
    each = [1e3 * (after - before) for before, after in zip(clock.times, clock.times[1:], strict=False)]
    mean, median = statistics.mean(each), statistics.median(each)
    last = statistics.median(each[-100:])
    measured = f"{mean:.1f} ms (median {median:.1f}, of the last hundred {last:.1f})"
    return report(f"search overhead a trial over {TRIALS:,} trials", measured, "20 ms", mean < 20)
