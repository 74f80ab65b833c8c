"""How fast a search goes, and how long it will take: by the mean of its last trials."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

LAST = 20
"""Trials whose mean tells the pace: what comes is more like these than like the first, which loaded everything."""


class Pace:
    """Told when trials are finished, in seconds of a clock that only goes forward."""

    def __init__(self, now_s: float) -> None:
        self._ends_s: deque[float] = deque([now_s], maxlen=LAST + 1)

    def finished(self, now_s: float) -> None:
        """A trial is finished."""
        self._ends_s.append(now_s)

    @property
    def seconds_a_trial(self) -> float | None:
        """None before the first one."""
        count = len(self._ends_s) - 1
        return (self._ends_s[-1] - self._ends_s[0]) / count if count else None

    def rate(self) -> str:
        """Trials a second, or seconds a trial where that is the larger number; empty before the first trial."""
        seconds = self.seconds_a_trial
        if seconds is None:
            return ""
        return f"{seconds:.3g} s/trial" if seconds >= 1 else f"{min(1 / max(seconds, 1e-9), 9999):.3g} trials/s"

    def left(self, trials: int) -> str:
        """The time that so many trials more will take, like 1:02:03; empty before the first trial."""
        seconds = self.seconds_a_trial
        return "" if seconds is None else str(timedelta(seconds=round(seconds * trials)))
