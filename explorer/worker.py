"""A process that joins a shared search: `python -m explorer.worker --storage …`, or `explorer.worker.work(…)`."""

from __future__ import annotations

if __name__ == "__main__":
    # before anything slow is imported, and never past this line: the command imports this module by its name
    from .entry import start

    start("explorer.worker_command")

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hiri_spec import SpecError, __version__
from hiri_spec.errors import Problem
from hiri_spec.quantities import parse_seconds

from .arguments import read_place, read_trials, read_workers
from .interrupts import ended_by_sigterm, surfaced
from .quest import How
from .results import Member
from .shared.address import FROM_ENVIRONMENT
from .shared.sharing import read_sharing
from .watching import Watcher

if TYPE_CHECKING:
    from .evaluation.here import Here
    from .evaluation.processes import Processes
    from .pursuit import Pursuit
    from .shared.shared_study import SharedStudy
    from .shared.studies import Found, Studies

ENDINGS = ("exhausted", "quota")
"""Codes of errors that end a worker's part and are nobody's mistake."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker has done: scores from here, those that the study has in all and is to have, and why it ended."""

    study: str
    evaluated: int
    finished: int
    wanted: int
    was_interrupted: bool = False
    was_terminated: bool = False
    """Whether it was by SIGTERM."""
    ending: str = ""
    """Why it ended before the study was complete; empty if it is, or after Ctrl-C."""


class WorkWatcher(Watcher):
    """Told how a worker's part goes; this one says nothing."""

    def joined(self, found: Found, finished: int) -> None:
        """The study is found, and has so many trials with a score."""

    def progressed(self, study: SharedStudy, member: Member, best: Member, finished: int) -> None:
        """One more trial of the study has a score, from here or from elsewhere."""


def work(
    storage: str = FROM_ENVIRONMENT,
    *,
    study: str | None = None,
    workers: int = 1,
    trial_timeout: str | float | None = None,
    trials_here: int | None = None,
    out: str | Path | None = None,
    watcher: WorkWatcher | None = None,
) -> Work:
    """Evaluate networks of a shared study until it is complete, as the worker's command does.

    What to search, how to score it and how many trials there are to be stands in the study. Networks that fail are
    written to `out`, by default runs/NAME. Ctrl-C and SIGTERM give back what is under way. Raises SpecError for a wrong
    argument, a storage that can't be used, an evaluator that this machine lacks, and failures in a row.
    """
    watcher = watcher or WorkWatcher()
    how = How(read_workers(workers), None if trial_timeout is None else parse_seconds(str(trial_timeout)))
    quota = None if trials_here is None else _read_quota(trials_here)
    folder = read_place(out, "--out", "runs/mine")
    sharing = read_sharing(storage, study)
    assert sharing is not None  # it is for want of a storage only, and there is a default
    from .shared.studies import open_studies

    with ended_by_sigterm() as received, open_studies(sharing.address, watcher.noted) as studies:
        found = studies.find(sharing.study, __version__)
        plan = found.plan
        quest = plan.quest()
        sampler = quest.sampler()
        sampler.draw_apart(uuid.uuid4().hex)
        shared = studies.open(found, sampler, folder or Path("runs") / found.name, found.wanted, quota)
        pursuit = quest.pursue(
            shared,
            sampler,
            how,
            tried=lambda member, best: watcher.progressed(shared, member, best, pursuit.finished),
            halted=watcher.halted,
            failed=watcher.failed,
        )
        watcher.joined(found, pursuit.finished)
        was_interrupted, ending = False, ""
        try:
            if pursuit.finished < found.wanted:
                _pursue(pursuit, quest.evaluation(how, pursuit), studies, found, shared)
        except KeyboardInterrupt:
            was_interrupted = True
        except SpecError as error:
            if error.problems[0].code not in ENDINGS:
                raise
            ending = error.problems[0].message
    finished = pursuit.finished
    return Work(found.name, shared.evaluated, finished, shared.wanted, was_interrupted, bool(received), ending)


def _pursue(pursuit: Pursuit, place: Here | Processes, studies: Studies, found: Found, shared: SharedStudy) -> None:
    """Until the study has as many trials as it is to have, which may be more by then."""
    with surfaced(), shared, place as evaluation:
        while pursuit.finished < shared.wanted:
            pursuit.go_on(evaluation, shared.wanted)
            shared.wanted = studies.read_wanted(found)


def _read_quota(value: Any) -> int:
    try:
        return read_trials(value)
    except SpecError as error:
        raise SpecError(Problem(error.problems[0].message, "--trials-here")) from None
