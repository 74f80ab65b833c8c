"""When the trials of a search are finished."""

from __future__ import annotations

import time

from explorer.results import Member
from explorer.watching import Started, Watcher


class Clock(Watcher):
    """Notes when the search is ready to draw, and when each trial is finished, by time.perf_counter()."""

    def __init__(self) -> None:
        self.began = 0.0
        self.times: list[float] = []

    def started(self, start: Started) -> None:
        """Begin with the first trial."""
        self.began = time.perf_counter()

    def tried(self, member: Member, best: Member) -> None:
        """Note one."""
        self.times.append(time.perf_counter())
