"""The trials of a shared study in its storage: read, created, ended; calls are made again while the storage is away."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from ..names import FAILURE
from .connection import Patient, is_away
from .ledger import RETURNED


class Records:
    """Those of one study; ids are Optuna's. Raises SpecError where the storage stays away."""

    def __init__(self, storage: BaseStorage, study_id: int, patient: Patient) -> None:
        self._storage, self._study_id, self._patient = storage, study_id, patient

    def read(self) -> list[FrozenTrial]:
        """All trials; of those that have ended before only what this process has read then."""
        return self._patient(partial(self._storage.get_all_trials, self._study_id, deepcopy=False))

    def find_id(self, number: int) -> int:
        """The id of a trial."""
        return self._patient(partial(self._storage.get_trial_id_from_study_id_trial_number, self._study_id, number))

    def create(self, trial: FrozenTrial) -> int:
        """Create a trial as it is, in one write; its id."""
        return self._patient(partial(self._storage.create_new_trial, self._study_id, trial))

    def report(self, trial_id: int, step: int, value: float) -> None:
        """Write what a trial's score is after a step; nothing if it has ended already."""
        with suppress(UpdateFinishedTrialError):
            self._patient(partial(self._storage.set_trial_intermediate_value, trial_id, step, value))

    def end(self, trial_id: int, state: TrialState, values: list[float] | None, attributes: dict[str, Any]) -> bool:
        """End a trial, its state last: it runs until all is written. False if it has ended already."""
        try:
            for name, value in attributes.items():
                self._patient(partial(self._storage.set_trial_user_attr, trial_id, name, value))
            self._patient(partial(self._storage.set_trial_state_values, trial_id, state, values))
        except UpdateFinishedTrialError:
            return False
        return True

    def give_back(self, trial_id: int) -> bool:
        """End a trial without an evaluation, and without patience: who gives back is about to end. False if away."""
        try:
            self._storage.set_trial_user_attr(trial_id, FAILURE, RETURNED)
            self._storage.set_trial_state_values(trial_id, TrialState.FAIL)
        except UpdateFinishedTrialError:
            return True
        except Exception as error:
            if not is_away(error):
                raise
            return False
        return True
