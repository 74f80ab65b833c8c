"""A study that survives: trials are drawn in memory and written once each to a journal in the output folder."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from .samplers.budgeted import BudgetedSampler

Direction = Literal["minimize", "maximize"]
JOURNAL = "study.journal"
LOCK = ".lock"
STUDY = "search"
DESCRIPTION = "search"
"""The user attribute of the study that says which search it belongs to."""


@dataclass(slots=True)
class Trial:
    """One evaluated network: its parameters' values, score and cost."""

    number: int
    params: dict[str, Any]
    score: float
    macs: int
    parameter_count: int
    seconds: float


@contextmanager
def locked_folder(out: Path) -> Iterator[Path]:
    """Make the output folder, prove that it can be written, and keep other searches out of it meanwhile."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / LOCK).open("a+")
    except FileExistsError:
        raise SpecError(Problem(f"{out} is a file, not a folder; name another", "--out", code="unwritable")) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError(Problem(f"{out} cannot be written: {reason}", "--out", code="unwritable")) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            message = f"another search (process {owner}) is writing to {out}; wait for it, or name another folder"
            raise SpecError(Problem(message, "--out", code="locked")) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield out


class _FolderIsLocked(JournalFileOpenLock):
    """No lock of its own for the journal: the folder's keeps others out, and does not outlive a killed process.

    Optuna's locks are files; one left behind by `kill -9` makes the next search wait, or go round for ever.
    """

    def acquire(self) -> bool:
        """The folder is locked already."""
        return True

    def release(self) -> None:
        """The folder stays locked."""


class SearchStudy:
    """The study of one search: Optuna's in memory for drawing, a journal on disk for keeping.

    Every `suggest` of a stored study is a durable write of its own, so drawing happens in memory, and a finished trial
    is written whole, in one go.
    """

    def __init__(
        self, out: Path, description: dict[str, Any], sampler: BudgetedSampler, directions: list[Direction]
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.out = out
        self.sampler = sampler
        journal = out / JOURNAL
        self.dropped_bytes = _drop_half_line(journal)
        try:
            backend = JournalFileBackend(str(journal), lock_obj=_FolderIsLocked(str(journal)))
            self._stored = self._open(JournalStorage(backend), description, directions)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SpecError(Problem(f"{journal} cannot be used: {reason}", "--out", code="unwritable")) from None
        self._memory = optuna.create_study(sampler=sampler, directions=directions)
        for trial in self._stored.get_trials(deepcopy=False):
            self._memory.add_trial(_copy(trial))
            sampler.remember(trial.params)

    def _open(self, storage: JournalStorage, description: dict[str, Any], directions: list[Direction]) -> optuna.Study:
        names = [summary.study_name for summary in optuna.get_all_study_summaries(storage)]
        if STUDY not in names:
            study = optuna.create_study(study_name=STUDY, storage=storage, directions=directions)
            study.set_user_attr(DESCRIPTION, description)
            return study
        study = optuna.load_study(study_name=STUDY, storage=storage)
        known = study.user_attrs.get(DESCRIPTION, {})
        if not known and not study.get_trials(deepcopy=False):
            # killed between the two first writes: nothing was tried yet
            study.set_user_attr(DESCRIPTION, description)
            return study
        differences = [
            f"{key} was {known.get(key)}, is {description.get(key)}"
            for key in {**known, **description}
            if known.get(key) != description.get(key)
        ]
        if differences:
            message = f"{self.out} holds another search: {'; '.join(differences)}. Nothing there was changed; "
            raise SpecError(Problem(f"{message}name another folder, or repeat the old search", "--out", code="other"))
        return study

    @property
    def trials(self) -> list[Trial]:
        """Every finished trial, in order."""
        frozen = self._memory.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        return [_read(trial) for trial in frozen]

    def ask(self) -> optuna.Trial:
        """A new trial whose network is in `sampler.candidates`."""
        return self._memory.ask(self.sampler.distributions)

    def tell(self, trial: optuna.Trial, values: list[float], attributes: dict[str, Any]) -> Trial:
        """Finish a trial and write it, whole; raises SpecError where the disk does not take it."""
        for name, value in attributes.items():
            trial.set_user_attr(name, value)
        frozen = self._memory.tell(trial, values)
        self._keep(frozen)
        return _read(frozen)

    def fail(self, trial: optuna.Trial, reason: str) -> None:
        """Write that a trial's evaluation failed, so that the same command goes on with the next one."""
        trial.set_user_attr("failure", reason)
        self._keep(self._memory.tell(trial, state=TrialState.FAIL))

    def _keep(self, frozen: FrozenTrial) -> None:
        try:
            self._stored.add_trial(_copy(frozen))
        except OSError as error:
            reason = error.strerror or str(error)
            message = f"{self.out} does not take trial {frozen.number}: {reason}; those before it are kept. "
            raise SpecError(
                Problem(f"{message}Make room, and run the same command again", "--out", code="unwritable")
            ) from None


def _copy(trial: FrozenTrial) -> FrozenTrial:
    """What is kept of a trial: all that drawing the next ones needs."""
    return optuna.trial.create_trial(
        state=trial.state,
        values=trial.values,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs=trial.user_attrs,
        system_attrs=trial.system_attrs,
    )


def _read(trial: FrozenTrial) -> Trial:
    attributes = trial.user_attrs
    return Trial(
        trial.number, trial.params, trial.values[0], attributes["macs"], attributes["params"], attributes["seconds"]
    )


def _drop_half_line(journal: Path) -> int:
    """Cut off what a killed process or a full disk left of a last line; returns how many bytes that was.

    Raises SpecError for a file that is no journal otherwise.
    """
    if not journal.exists():
        return 0
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    for number, line in enumerate(content[:whole].splitlines(), 1):
        try:
            json.loads(line)
        except ValueError:
            # a line that Optuna can't read would end in its traceback, and cutting more off would lose trials
            message = "is damaged, this line is no JSON; move the file away to begin anew, or name another --out"
            raise SpecError(Problem(message, file=str(journal), line=number, code="damaged")) from None
    if whole < len(content):
        with journal.open("r+b") as stream:
            stream.truncate(whole)
    return len(content) - whole
