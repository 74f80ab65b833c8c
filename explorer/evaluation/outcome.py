"""One evaluation: what is asked, what is heard meanwhile, and what comes of it."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from hiri_spec import ModelSpec

Report = Callable[[int, float], bool]
"""Told a step and the score so far, it says whether to go on."""


class PrunedError(Exception):
    """An evaluation was told not to go on: others were better by then."""


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
    is_pruned: bool = False


def evaluate(evaluator: Callable[..., float], task: Task, report: Report) -> Outcome:
    """Score a network; whatever an evaluator raises is its outcome, but for Ctrl-C and the like.

    One that has `reports` set is called with `report` as well, and asks it now and then whether to go on.
    """
    began = time.perf_counter()
    asked = {"report": report} if getattr(evaluator, "reports", False) else {}
    try:
        value = float(evaluator(task.spec, task.seed, **asked))
        if not math.isfinite(value):
            return Outcome(task.number, None, time.perf_counter() - began, f"the score is {value}")
    except PrunedError:
        return Outcome(task.number, None, time.perf_counter() - began, is_pruned=True)
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
        return Outcome(task.number, None, time.perf_counter() - began, failure, traceback.format_exc())
    return Outcome(task.number, value, time.perf_counter() - began)
