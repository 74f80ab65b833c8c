"""The process that evaluates: it is told networks and tells scores, until the pipe from its parent is closed.

It is a program of its own, as multiprocessing's processes would run the parent's script anew, unless it is written for
that: `python -m explorer.evaluation.child PIPE LIFELINE EVALUATOR SETTINGS THREADS`, the first two being file
descriptors, the settings JSON, with `timing` if networks are timed before they are scored.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from hiri_spec.errors import SpecError

from ..evaluators import load_evaluator
from .outcome import Evaluate, Outcome, Task, Timing

OOM_SCORE = Path("/proc/self/oom_score_adj")
FIRST_TO_GO = "1000"


@dataclass(frozen=True, slots=True)
class Began:
    """The evaluator is loaded, and at work on a task: from now on its time counts."""

    number: int


@dataclass(frozen=True, slots=True)
class Reported:
    """What the score is after a step; the answer says whether to stop."""

    number: int
    step: int
    value: float


@dataclass(frozen=True, slots=True)
class Unusable:
    """There is no such evaluator, or it can't be loaded."""

    error: SpecError


Message = Began | Reported | Unusable | Outcome


def serve(
    connection: Connection, evaluator: str, settings: dict[str, Any], threads: int, timing: Timing | None = None
) -> None:
    """Evaluate what comes through the pipe, one task after the other; `threads` is what torch may take, 0 for all."""

    def report(number: int, step: int, value: float) -> bool:
        connection.send(Reported(number, step, value))
        return bool(connection.recv())

    try:
        loaded = load_evaluator(evaluator, settings)
    except SpecError as error:
        connection.send(Unusable(error))
        return
    if threads and "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    evaluate = Evaluate(loaded, report, timing)
    while True:
        task: Task = connection.recv()
        connection.send(Began(task.number))
        connection.send(evaluate(task))


def end_with(lifeline: int) -> None:
    """End once the other end of a pipe is closed, as it is when the parent was killed: nobody would hear of a score."""
    os.read(lifeline, 1)
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)  # which the parent can do no longer
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Serve the parent that has started this."""
    pipe, lifeline, evaluator, settings, threads = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    threading.Thread(target=end_with, args=(int(lifeline),), daemon=True).start()
    with contextlib.suppress(OSError):  # not Linux, or not allowed: then whoever is largest goes first
        OOM_SCORE.write_text(FIRST_TO_GO)  # where memory is short, this process goes, not the one that keeps the study
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent has closed its end
        told = json.loads(settings)
        timing = Timing(**told["timing"]) if told["timing"] else None
        serve(Connection(int(pipe)), evaluator, told["settings"], int(threads), timing)


if __name__ == "__main__":
    from explorer.evaluation.child import main as main_by_name  # or the messages' classes would be __main__'s

    main_by_name()
