"""One evaluation: what is asked, and what comes of it."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hiri_spec import ModelSpec


@dataclass(frozen=True, slots=True)
class Task:
    """A network to evaluate, by the number of its trial."""

    number: int
    spec: ModelSpec
    seed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task: a score, or None and why there is none."""

    number: int
    score: float | None
    seconds: float
    failure: str = ""
    traceback: str = ""


def evaluate(evaluator: Callable[[ModelSpec, int], float], task: Task) -> Outcome:
    """Score a network; whatever an evaluator raises is its outcome, but for Ctrl-C and the like."""
    began = time.perf_counter()
    try:
        given: Any = evaluator(task.spec, task.seed)
        if given is None:
            failure = "it returned nothing; let it return a number"
            return Outcome(task.number, None, time.perf_counter() - began, failure)
        value = float(given)
        if not math.isfinite(value):
            return Outcome(task.number, None, time.perf_counter() - began, f"the score is {value}")
    except (Exception, SystemExit) as error:
        failure = f"{type(error).__name__}: {error}"
        return Outcome(task.number, None, time.perf_counter() - began, failure, traceback.format_exc())
    return Outcome(task.number, value, time.perf_counter() - began)
