"""One evaluation: what is asked, and what comes of it."""

from __future__ import annotations

import math
import operator
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hiri_spec import ModelSpec

from ..evaluators import takes_reports
from ..interrupts import surfaced

MOST_LETTERS = 300
"""Of the reason why an evaluation failed."""


@dataclass(frozen=True, slots=True)
class Task:
    """A network to evaluate, by the number of its trial."""

    number: int
    spec: ModelSpec
    seed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task: a score, or None and why there is none.

    One that was `stopped` did not fail: it was not worth going on with.
    """

    number: int
    score: float | None
    seconds: float
    failure: str = ""
    traceback: str = ""
    stopped: str = ""
    latency_ms: float | None = None


Report = Callable[[int, int, float], bool]
"""Told a trial's number, a step and what the score is after it; returns whether the evaluation is to stop."""


@dataclass(frozen=True, slots=True)
class Timing:
    """That networks are timed before they are scored: where, and what one may take at most."""

    device: str = "cpu"
    limit_ms: float | None = None


class StoppedError(Exception):
    """Ends an evaluation from within its reports."""


@dataclass(slots=True)
class Evaluate:
    """Scores one network after the other by an evaluator, which may report on its way, and times it if asked to."""

    evaluator: Callable[..., float]
    report: Report
    timing: Timing | None = None
    _reports: bool = field(init=False)

    def __post_init__(self) -> None:
        self._reports = takes_reports(self.evaluator)

    def __call__(self, task: Task) -> Outcome:
        """Score a network; whatever an evaluator raises is its outcome, but for Ctrl-C and the like."""
        began = time.perf_counter()
        latency_ms: float | None = None

        def outcome(score: float | None = None, **why: str) -> Outcome:
            return Outcome(task.number, score, time.perf_counter() - began, latency_ms=latency_ms, **why)

        try:
            with surfaced():  # or a Ctrl-C that a library made an error of were the network's failure
                if self.timing is not None:
                    latency_ms = _measure_ms(task.spec, self.timing)
                    limit = self.timing.limit_ms
                    if limit is not None and latency_ms > limit:
                        return outcome(stopped=f"it takes {latency_ms:.4g} ms, more than {limit:g} ms")
                given = self._score(task)
            if given is None:
                return outcome(failure="it returned nothing; let it return a number")
            value = float(given)
            if not math.isfinite(value):
                return outcome(failure=f"the score is {value}")
        except StoppedError as stop:
            return outcome(stopped=str(stop))
        except (Exception, SystemExit) as error:
            failure = _shorten(f"{type(error).__name__}: {error}")
            return outcome(failure=failure, traceback=traceback.format_exc())
        return outcome(value)

    def _score(self, task: Task) -> Any:
        if not self._reports:
            return self.evaluator(task.spec, task.seed)

        def report(step: int, value: float) -> None:
            step, value = _check_report(step, value)
            if self.report(task.number, step, value):
                raise StoppedError(f"at step {step} its score was {value:.4g}")

        return self.evaluator(task.spec, task.seed, report=report)


def _check_report(step: Any, value: Any) -> tuple[int, float]:
    """Raise ValueError, which fails the evaluation, for what no pruner can use."""
    number, score = operator.index(step), float(value)
    if number < 0 or not math.isfinite(score):
        raise ValueError(f"report({number}, {score}): give a step from 0 on and a score that is a number")
    return number, score


def _shorten(reason: str) -> str:
    """A reason in one line, without what a terminal would obey; the whole stands in the traceback."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in reason).split())
    return line if len(line) <= MOST_LETTERS else f"{line[:MOST_LETTERS]} …"


def _measure_ms(spec: ModelSpec, timing: Timing) -> float:
    from ..latency import measure_latencies_ms

    return measure_latencies_ms([(spec, spec.size)], device=timing.device)[0]
