"""A study that survives: trials are drawn in memory and written once each to a journal in the output folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from .journal import FACTS, JOURNAL, Journal
from .samplers.budgeted import BudgetedSampler

Direction = Literal["minimize", "maximize"]
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
        path = out / JOURNAL
        try:
            journal = Journal(path)
            self.dropped_bytes = journal.dropped_bytes
            self._stored = self._read(journal, description, directions)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SpecError(Problem(f"{path} cannot be used: {reason}", "--out", code="unwritable")) from None
        self._memory = optuna.create_study(sampler=sampler, directions=directions)
        for trial in self._stored.get_trials(deepcopy=False):
            self._memory.add_trial(_copy(trial))
            sampler.remember(trial.params)

    def _read(self, journal: Journal, description: dict[str, Any], directions: list[Direction]) -> optuna.Study:
        try:
            storage = JournalStorage(journal)
        except OSError:
            raise
        except Exception as error:
            # Optuna takes every line for one of its own, and stumbles over others in many ways
            what = f"no record that Optuna can read ({type(error).__name__}: {error})"
            raise journal.damaged(journal.line, what) from error
        study = self._open(storage, description, directions)
        labels = {name: parameter.choices for name, parameter in self.sampler.distributions.items()}
        for trial in study.get_trials(deepcopy=False):
            journal.check_trial(trial, labels, len(directions))
        return study

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
        return self._memory.ask(dict(self.sampler.distributions))

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
    facts = (attributes[name] for name in FACTS)
    return Trial(trial.number, trial.params, trial.values[0], *facts)
