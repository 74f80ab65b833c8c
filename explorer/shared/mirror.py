"""A shared study as the sampler sees it: in memory, so that drawing a network asks no database."""

from __future__ import annotations

import optuna
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from ..journal import copy_trial
from ..names import STUDY
from ..samplers.budgeted import BudgetedSampler
from ..study import Direction


class Mirror:
    """Has a trial for each of the shared study's, in the order in which this process heard of them.

    Numbers of its own are called places here. With one process they are the trials' numbers.
    """

    def __init__(self, sampler: BudgetedSampler, directions: list[Direction]) -> None:
        self._sampler = sampler
        self._storage = InMemoryStorage()
        self._study = optuna.create_study(
            study_name=STUDY, storage=self._storage, sampler=sampler, directions=directions
        )
        self._study_id = self._storage.get_study_id_from_name(STUDY)
        self._places: dict[int, int] = {}
        """By the numbers of the shared trials."""

    def draw(self) -> int:
        """The place of a new trial whose network is in `sampler.candidates`; raises SpecError if there is none."""
        before = self._storage.get_n_trials(self._study_id)
        try:
            return self._study.ask(dict(self._sampler.distributions)).number
        except BaseException:
            if self._storage.get_n_trials(self._study_id) > before:
                self._study.tell(before, state=TrialState.FAIL)  # nothing stands behind it
            raise

    def drawn(self, place: int) -> FrozenTrial:
        """The trial at a place."""
        return self._storage.get_trial(self._id(place))

    def bind(self, number: int, place: int) -> None:
        """The shared trial of a number is what was drawn at a place."""
        self._places[number] = place

    def reflect(self, trial: FrozenTrial) -> None:
        """Take in a shared trial that is new or has ended."""
        place = self._places.get(trial.number)
        values = None if trial.values is None else list(trial.values)  # a proxy's are no list
        if place is None:
            self._places[trial.number] = self._storage.get_n_trials(self._study_id)
            self._study.add_trial(copy_trial(trial, values=values))
            self._sampler.remember(trial.params)
        elif trial.state.is_finished():
            for step, value in trial.intermediate_values.items():
                self._storage.set_trial_intermediate_value(self._id(place), step, value)
            for name, value in trial.user_attrs.items():
                self._storage.set_trial_user_attr(self._id(place), name, value)
            self._storage.set_trial_state_values(self._id(place), trial.state, values)

    def _id(self, place: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, place)
