"""Calls timed in turn, so that a noisy machine disturbs all alike, and what those times say. No torch in here."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

Call = Callable[[], object]
Clock = Callable[[], float]
TimeCall = Callable[[Call], float]

DEFAULT_ROUNDS = 20
DEFAULT_SECONDS = 60.0
LEAST_ROUNDS = 3
TURN_SECONDS = 0.05
"""Quick calls are repeated within their turn until this is filled, and the turn's time is their median."""
MOST_REPEATS = 50
PAUSE_SECONDS = 0.005
"""Between two turns, for the threads of the one before to stop spinning."""


def time_call(call: Call) -> float:
    """Seconds of wall time that one call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: after so many rounds, or as soon as so many seconds have gone, but never within `least` rounds."""

    rounds: int | None = DEFAULT_ROUNDS
    seconds: float | None = DEFAULT_SECONDS
    least: int = LEAST_ROUNDS

    def is_reached(self, rounds: int, elapsed: float) -> bool:
        """Whether that was the last round."""
        if self.rounds is not None and rounds >= self.rounds:
            return True
        return self.seconds is not None and elapsed >= self.seconds and rounds >= self.least

    def seconds_left(self, rounds: int, elapsed: float) -> float:
        """About how long the rest takes, by the rounds so far (at least one)."""
        each = elapsed / rounds
        by_rounds = float("inf") if self.rounds is None else (self.rounds - rounds) * each
        by_seconds = float("inf")
        if self.seconds is not None:
            by_seconds = max(self.seconds - elapsed, (self.least - rounds) * each)
        return max(0.0, min(by_rounds, by_seconds))


@dataclass(slots=True)
class Rounds:
    """Seconds a call, a row a round, in the order of the calls; whether someone stopped it before its end."""

    rows: list[list[float]] = field(default_factory=list)
    was_interrupted: bool = False

    def column(self, index: int) -> list[float]:
        """One call's times over the rounds."""
        return [row[index] for row in self.rows]


def interleave(
    calls: Sequence[Call],
    limits: Limits,
    *,
    time_call: TimeCall = time_call,
    clock: Clock = time.perf_counter,
    turn_seconds: float = TURN_SECONDS,
    pause_seconds: float = PAUSE_SECONDS,
    watch: Callable[[int, float], None] | None = None,
) -> Rounds:
    """Time the calls in turn, each once a round, after a round that isn't kept.

    Every round goes through them in another order, the same on every run, so that none always follows the same other.
    `watch` is told the number of rounds done and the seconds left. Ctrl-C ends it after the last whole round; before
    the first one is whole it is passed on.
    """
    shuffle = random.Random(0).shuffle
    order = list(range(len(calls)))
    result = Rounds()
    began = clock()
    try:
        for turn in range(-1, 10**9):
            shuffle(order)
            row = [0.0] * len(calls)
            for index in order:
                time.sleep(pause_seconds)
                row[index] = _take_turn(calls[index], time_call, turn_seconds if turn >= 0 else 0.0)
            if turn < 0:
                began = clock()
                continue
            result.rows.append(row)
            done, elapsed = len(result.rows), clock() - began
            if watch is not None:
                watch(done, limits.seconds_left(done, elapsed))
            if limits.is_reached(done, elapsed):
                break
    except KeyboardInterrupt:
        if not result.rows:
            raise
        result.was_interrupted = True
    return result


def _take_turn(call: Call, time_call: TimeCall, turn_seconds: float) -> float:
    times = [time_call(call)]
    while sum(times) < turn_seconds and len(times) < MOST_REPEATS:
        times.append(time_call(call))
    return statistics.median(times)


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and the quartiles around it."""

    median: float
    lower: float
    upper: float

    def scaled(self, factor: float) -> Spread:
        """The same in another unit."""
        return Spread(self.median * factor, self.lower * factor, self.upper * factor)

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles; of a single value, that value three times."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, lower, upper)


def compare(own: Sequence[float], other: Sequence[float]) -> Spread:
    """Own times as multiples of the other's, round by round: both met the machine in the same state."""
    return spread([mine / theirs for mine, theirs in zip(own, other, strict=True)])
