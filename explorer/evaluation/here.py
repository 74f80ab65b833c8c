"""Evaluating in this process, one network at a time: for evaluators so quick that a process of their own costs more."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from ..evaluators import Chosen
from .outcome import Evaluate, Outcome, Report, Task


class Here:
    """Stands where Processes stand, with room for one task; an evaluation can't be ended from outside."""

    def __init__(self, evaluator: Chosen, report: Report) -> None:
        self._evaluate = Evaluate(evaluator.load(), report)
        self._task: Task | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._task = None

    @property
    def running(self) -> int:
        """Number of tasks that are to be evaluated."""
        return int(self._task is not None)

    @property
    def is_free(self) -> bool:
        """Whether there is room for a task."""
        return self._task is None

    def submit(self, task: Task) -> None:
        """Take a task."""
        self._task = task

    def next(self, patience_s: float | None = None) -> Outcome:
        """Evaluate the task that was taken; it takes as long as it takes."""
        assert self._task is not None
        task, self._task = self._task, None
        return self._evaluate(task)
