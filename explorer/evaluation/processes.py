"""Processes that evaluate at the same time: one that breaks, hangs or fills the memory fails its trial, and no more."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from ..evaluators import Chosen
from ..interrupts import AT_A_STRETCH_S
from .child import Began, Message, Reported, Unusable
from .outcome import Outcome, Report, Task, Timing

STDERR = 2


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    connection: Connection
    lifeline: int
    """A file descriptor that the process ends with."""
    scratch: TemporaryDirectory[str]
    """Where it and what it starts put what is temporary; a process that is killed can't clean up after itself."""
    task: Task | None = None
    began: float | None = None
    """By time.monotonic(), when the evaluator was loaded and at work."""


class Processes:
    """So many processes, begun when they are first needed, each with the evaluator loaded once.

    A context: they end with it. `timeout_s` is what one evaluation may take, loading the evaluator not counted;
    `report` is asked whether one that tells how far it is shall stop.
    """

    def __init__(
        self,
        evaluator: Chosen,
        count: int,
        timeout_s: float | None = None,
        *,
        report: Report,
        timing: Timing | None = None,
    ) -> None:
        self._evaluator, self._count, self._timeout_s = evaluator, count, timeout_s
        self._report, self._timing = report, timing
        self._workers: list[_Worker] = []
        # one process may use all cores, several share them
        self._threads = max(1, len(os.sched_getaffinity(0)) // count) if count > 1 else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        while self._workers:
            self._end(self._workers[-1])

    @property
    def running(self) -> int:
        """Number of tasks that are being evaluated."""
        return sum(worker.task is not None for worker in self._workers)

    @property
    def is_free(self) -> bool:
        """Whether a process waits for a task."""
        return self.running < self._count

    def submit(self, task: Task) -> None:
        """Give a free process a task."""
        idle = next((worker for worker in self._workers if worker.task is None), None) or self._begin()
        idle.task, idle.began = task, None
        with contextlib.suppress(OSError):  # it has died while it was idle, which next() will find
            idle.connection.send(task)

    def next(self, patience_s: float | None = None) -> Outcome | None:
        """Wait for the next outcome, None if there is none after `patience_s`.

        Raises SpecError for an evaluator that can't be loaded.
        """
        ends = None if patience_s is None else time.monotonic() + patience_s
        while ends is None or time.monotonic() < ends:
            busy = [worker for worker in self._workers if worker.task is not None]
            ready = wait([worker.connection for worker in busy], self._time_left(busy, ends))
            for worker in busy:
                if worker.connection in ready:
                    heard = self._hear(worker)
                    if heard is not None:
                        return heard
                elif self._is_overdue(worker):
                    return self._give_up(worker, f"it took longer than {self._timeout_s:g} s")
        return None

    def _hear(self, worker: _Worker) -> Outcome | None:
        try:
            message: Message = worker.connection.recv()
        except (EOFError, ConnectionResetError):
            return self._give_up(worker, _describe_end(worker.process.wait()))
        if isinstance(message, Began):
            worker.began = time.monotonic()
            return None
        if isinstance(message, Reported):
            with contextlib.suppress(OSError):  # it has died since, which next() will find
                worker.connection.send(self._report(message.number, message.step, message.value))
            return None
        if isinstance(message, Unusable):
            raise message.error
        worker.task = worker.began = None
        return message

    def _time_left(self, busy: list[_Worker], end: float | None) -> float:
        """Seconds until the next evaluation is overdue, the wait is to end or a Ctrl-C is to be looked for."""
        ends = [time.monotonic() + AT_A_STRETCH_S, *([] if end is None else [end])]
        if self._timeout_s is not None:
            ends += [worker.began + self._timeout_s for worker in busy if worker.began is not None]
        return max(0.0, min(ends) - time.monotonic())

    def _is_overdue(self, worker: _Worker) -> bool:
        return (
            self._timeout_s is not None
            and worker.began is not None
            and time.monotonic() - worker.began >= self._timeout_s
        )

    def _give_up(self, worker: _Worker, failure: str) -> Outcome:
        """End a process, and say why its task has no score."""
        assert worker.task is not None
        seconds = 0.0 if worker.began is None else time.monotonic() - worker.began
        self._end(worker)
        return Outcome(worker.task.number, None, seconds, failure)

    def _begin(self) -> _Worker:
        connection, childs_connection = Pipe()
        childs_lifeline, lifeline = os.pipe()
        passed = childs_connection.fileno(), childs_lifeline
        timing = None if self._timing is None else asdict(self._timing)
        chosen = self._evaluator.name, json.dumps({"settings": dict(self._evaluator.settings), "timing": timing})
        scratch = TemporaryDirectory(prefix="explorer-")
        process = subprocess.Popen(
            [sys.executable, "-m", "explorer.evaluation.child", *map(str, passed), *chosen, str(self._threads)],
            stdin=subprocess.DEVNULL,
            stdout=STDERR,  # our stdout is for results
            pass_fds=passed,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": scratch.name},
            start_new_session=True,  # so that what it starts ends with it
        )
        childs_connection.close()
        os.close(childs_lifeline)
        worker = _Worker(process, connection, lifeline, scratch)
        self._workers.append(worker)
        return worker

    def _end(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        with contextlib.suppress(ProcessLookupError):  # all of them have ended
            os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        worker.connection.close()
        os.close(worker.lifeline)
        worker.scratch.cleanup()


def _describe_end(exit_code: int) -> str:
    if exit_code >= 0:
        return f"its process ended with status {exit_code}"
    why = ", as it is where memory runs out" if exit_code == -9 else ""
    return f"its process was killed by signal {-exit_code}{why}"
