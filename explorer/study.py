"""A study that survives: trials are drawn in memory and kept in a journal in the output folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.storages import InMemoryStorage, JournalStorage
from optuna.trial import FrozenTrial, TrialState

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from .extension import MOST_TOLD, carry, find_contradictions
from .interrupts import undivided
from .journal import Journal, copy_trial
from .names import ATTEMPTS, DESCRIPTION, FAILURE, JOURNAL, NETWORK, STOPPED, STUDY
from .samplers.network_sampler import NetworkSampler
from .trials import Trial, Unscored, read_trial, read_unscored

Direction = Literal["minimize", "maximize"]


class SearchStudy:
    """The study of one search: Optuna's in memory for drawing, a journal on disk for keeping.

    Every `suggest` of a stored study is a durable write of its own, so drawing happens in memory, and a finished trial
    is written whole, in one go. Those that `begin` is told of are written then as well, so that what a killed process
    leaves is known, and evaluated again. `interrupted` has the numbers of those found.
    """

    def __init__(
        self,
        out: Path,
        description: Mapping[str, Any],
        sampler: NetworkSampler,
        directions: list[Direction],
        *,
        name: str = STUDY,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.out = out
        self.sampler = sampler
        self._name = name
        self.file_prefix = "" if name == STUDY else f"{name.replace(' ', '-')}-"
        path = out / JOURNAL
        try:
            journal = Journal(path)
            self.dropped_bytes = journal.dropped_bytes
            self._stored = self._read(journal, description, directions)
            self._study_id = self._storage.get_study_id_from_name(self._stored.study_name)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SpecError(Problem(f"{path} cannot be used: {reason}", "--out", code="unwritable")) from None
        self._memory_storage = InMemoryStorage()
        self._memory = optuna.create_study(
            study_name=name, storage=self._memory_storage, sampler=sampler, directions=directions
        )
        self._memory_id = self._memory_storage.get_study_id_from_name(name)
        self._begun: dict[int, int] = {}
        """Numbers of the trials that have no end in the journal, and Optuna's ids of them there."""
        self._begun_here: set[int] = set()
        for trial in self._stored.get_trials(deepcopy=False):
            self._memory.add_trial(copy_trial(trial))
            network = sampler.remember(trial.params)
            if trial.user_attrs.get(NETWORK, network) != network:
                lines = journal.trial_lines[self._study_id]
                raise journal.damaged(lines[trial.number], "of another network than what is told of it")
            if trial.state == TrialState.RUNNING:
                self._begun[trial.number] = self._storage.get_trial_id_from_study_id_trial_number(
                    self._study_id, trial.number
                )
        self.interrupted = tuple(self._begun)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """That an evaluation ends here is asked for, or another one's fault, and not held against its trial."""
        with undivided(), suppress(OSError):  # on a full disk it stays counted as an attempt
            for number in self._begun_here & self._begun.keys():
                attempts = self._frozen(number).user_attrs[ATTEMPTS] - 1
                self._note(number, {ATTEMPTS: attempts})
                self._storage.set_trial_user_attr(self._begun[number], ATTEMPTS, attempts)
            self._begun_here.clear()

    def _read(self, journal: Journal, description: Mapping[str, Any], directions: list[Direction]) -> optuna.Study:
        try:
            self._storage = JournalStorage(journal)
        except OSError:
            raise
        except Exception as error:
            # Optuna takes every line for one of its own, and stumbles over others in many ways
            what = f"no record that Optuna can read ({type(error).__name__}: {error})"
            raise journal.damaged(journal.line, what) from error
        study, known = self._find(description, directions)
        trials = study.get_trials(deepcopy=False)
        differences = [
            f"{key} was {known.get(key)}, is {description.get(key)}"
            for key in {**known, **description}
            if known.get(key) != description.get(key)
        ]
        is_larger = False
        if len(differences) == 1 and known.get("space") != description["space"]:
            told = find_contradictions(trials, self.sampler.space)
            is_larger = not told
            differences += told[:MOST_TOLD]
        if differences and not is_larger:
            message = f"{self.out} holds another search: {'; '.join(differences)}. Nothing there was changed; "
            raise SpecError(Problem(f"{message}name another folder, or repeat the old search", "--out", code="other"))
        labels = {
            name: parameter.choices
            for name, parameter in (
                trials[0].distributions if trials and is_larger else self.sampler.distributions
            ).items()
            if isinstance(parameter, CategoricalDistribution)
        }
        study_id = self._storage.get_study_id_from_name(study.study_name)
        for trial in trials:
            journal.check_trial(trial, labels, len(directions), study_id)
        return self._extend(trials, description, directions) if is_larger else study

    def _extend(
        self, trials: list[FrozenTrial], description: Mapping[str, Any], directions: list[Direction]
    ) -> optuna.Study:
        """A study of the larger space beside the old one, with its trials: Optuna takes no choices into one that is."""
        number = len(optuna.get_all_study_summaries(self._storage)) + 1
        larger = optuna.create_study(study_name=f"{self._name} {number}", storage=self._storage, directions=directions)
        for trial in trials:
            larger.add_trial(carry(trial, self.sampler.space, dict(self.sampler.distributions)))
        larger.set_user_attr(DESCRIPTION, dict(description))  # last: without it, a study is not whole
        return larger

    def _find(self, description: Mapping[str, Any], directions: list[Direction]) -> tuple[optuna.Study, dict[str, Any]]:
        """The last study that is whole, of which an extended search has several, and what it is; or a new one."""
        pattern = re.compile(rf"{re.escape(self._name)}( [0-9]+)?")
        summaries = optuna.get_all_study_summaries(self._storage)
        names = [summary.study_name for summary in summaries if pattern.fullmatch(summary.study_name)]
        for name in sorted(names, key=lambda name: (len(name), name), reverse=True):
            study = optuna.load_study(study_name=name, storage=self._storage)
            known = study.user_attrs.get(DESCRIPTION)
            if known is not None:
                return study, known
        study = (
            optuna.load_study(study_name=self._name, storage=self._storage)  # killed between the two first writes
            if self._name in names
            else optuna.create_study(study_name=self._name, storage=self._storage, directions=directions)
        )
        study.set_user_attr(DESCRIPTION, dict(description))
        return study, dict(description)

    @property
    def trials(self) -> list[Trial]:
        """Every finished trial, in order."""
        frozen = self._memory.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        return [read_trial(trial) for trial in frozen]

    @property
    def elsewhere(self) -> int:
        """Number of trials that other processes evaluate: none, as the folder is locked."""
        return 0

    @property
    def has_interrupted(self) -> bool:
        """Whether another process has left something to do since: there is none."""
        return False

    @property
    def poll_s(self) -> float | None:
        """How long to wait before others may have left something to do: for ever."""
        return None

    def refresh(self) -> list[Trial | Unscored]:
        """What others have finished since: nothing."""
        return []

    def pause(self) -> None:
        """Never needed: there is always something to do here."""

    def origin(self, number: int) -> int:
        """The number from which the seed of a trial's evaluation derives: its own, whenever it is evaluated."""
        return number

    @property
    def unscored(self) -> list[Unscored]:
        """Every trial that failed or was stopped, in order."""
        frozen = self._memory.get_trials(deepcopy=False, states=[TrialState.FAIL, TrialState.PRUNED])
        return [read_unscored(trial) for trial in frozen]

    def ask(self) -> int:
        """The number of a new trial whose network is in `sampler.candidates`."""
        return self._memory.ask(dict(self.sampler.distributions)).number

    def params(self, number: int) -> dict[str, Any]:
        """The parameters' values of a trial."""
        return self._frozen(number).params

    def begin(self, number: int, attributes: dict[str, Any]) -> int:
        """Write that a trial is being evaluated; returns how often it was begun, this time counted in."""
        trial_id = self._begun.get(number)
        self._begun_here.add(number)
        with self._told(number):
            if trial_id is None:
                self._note(number, {**attributes, ATTEMPTS: 1})
                self._begun[number] = self._storage.create_new_trial(self._study_id, copy_trial(self._frozen(number)))
                return 1
            attempts: int = self._frozen(number).user_attrs[ATTEMPTS] + 1
            self._note(number, {ATTEMPTS: attempts})
            self._storage.set_trial_user_attr(trial_id, ATTEMPTS, attempts)
            return attempts

    def tell(self, number: int, values: list[float], attributes: dict[str, Any]) -> Trial:
        """Finish a trial and write it, whole; raises SpecError where the disk does not take it."""
        self._end(number, TrialState.COMPLETE, values, attributes)
        return read_trial(self._frozen(number))

    def fail(self, number: int, reason: str) -> None:
        """Write that a trial's evaluation failed, and why."""
        self._end(number, TrialState.FAIL, None, {FAILURE: reason})

    def stop(self, number: int, reason: str, attributes: dict[str, Any]) -> None:
        """Write that a trial was not worth going on with, and why."""
        self._end(number, TrialState.PRUNED, None, {**attributes, STOPPED: reason})

    def report(self, number: int, step: int, value: float) -> None:
        """Write what a trial's score is after a step."""
        self._memory_storage.set_trial_intermediate_value(self._memory_trial(number), step, value)
        trial_id = self._begun.get(number)
        if trial_id is not None:
            with self._told(number):
                self._storage.set_trial_intermediate_value(trial_id, step, value)

    def _end(self, number: int, state: TrialState, values: list[float] | None, attributes: dict[str, Any]) -> None:
        self._note(number, attributes)
        self._memory.tell(number, values, state)
        frozen = self._frozen(number)
        with self._told(number):
            trial_id = self._begun.pop(number, None)
            if trial_id is None:
                self._stored.add_trial(copy_trial(frozen))
                return
            for name, value in attributes.items():
                self._storage.set_trial_user_attr(trial_id, name, value)
            self._storage.set_trial_state_values(trial_id, state, frozen.values)

    def _memory_trial(self, number: int) -> int:
        return self._memory_storage.get_trial_id_from_study_id_trial_number(self._memory_id, number)

    def _frozen(self, number: int) -> FrozenTrial:
        return self._memory_storage.get_trial(self._memory_trial(number))

    def _note(self, number: int, attributes: dict[str, Any]) -> None:
        for name, value in attributes.items():
            self._memory_storage.set_trial_user_attr(self._memory_trial(number), name, value)

    @contextmanager
    def _told(self, number: int) -> Iterator[None]:
        """A journal that takes no more is told; what is in it stays."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            message = f"{self.out} does not take trial {number}: {reason}; those before it are kept. "
            raise SpecError(
                Problem(f"{message}Make room, and run the same command again", "--out", code="unwritable")
            ) from None


def directions_of(objective: str) -> list[Direction]:
    """What is optimised: the score, and the cost if it is an objective."""
    return ["maximize"] if objective == "score" else ["maximize", "minimize"]
