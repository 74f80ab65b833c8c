"""Stopping evaluations that are hopeless: Optuna's pruners, told the scores on the way of all trials."""

from __future__ import annotations

from collections.abc import Callable

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.trial import TrialState

from .trials import Trial, Unscored

PRUNERS: dict[str, Callable[[], BasePruner]] = {
    "none": NopPruner,
    # steps count from 1, and the first epoch tells little: batch norms have hardly seen an image
    "median": lambda: MedianPruner(n_startup_trials=5, n_warmup_steps=2),
    "halving": lambda: SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
    "hyperband": lambda: HyperbandPruner(min_resource=1, max_resource="auto", reduction_factor=3),
}


class Pruning:
    """Says of a trial, by its number, whether to stop it.

    It keeps a study of its own, as pruners take one objective only, and a search may have two.
    """

    def __init__(self, name: str) -> None:
        # Hyperband deals its brackets out by the study's name
        self._study = optuna.create_study(
            study_name="pruning", direction="maximize", pruner=PRUNERS[name](), sampler=optuna.samplers.RandomSampler()
        )
        self._trials: dict[int, optuna.Trial] = {}

    def remember(self, trial: Trial | Unscored) -> None:
        """Take a trial of an earlier run, or of another process, into account."""
        for step, value in sorted(trial.reports.items()):
            self.is_hopeless(trial.number, step, value)
        if isinstance(trial, Unscored) and trial.has_failed:
            self.forget(trial.number)
        else:
            self.end(trial.number, trial.score if isinstance(trial, Trial) else None)

    def is_hopeless(self, number: int, step: int, value: float) -> bool:
        """Whether a trial whose score is `value` after `step` steps is to be stopped."""
        if number not in self._trials:
            self._trials[number] = self._study.ask()
        trial = self._trials[number]
        trial.report(value, step)
        return trial.should_prune()

    def end(self, number: int, score: float | None) -> None:
        """Note that a trial ended; one that reported nothing is of no use here."""
        trial = self._trials.pop(number, None)
        if trial is not None:
            self._study.tell(trial, score, TrialState.PRUNED if score is None else TrialState.COMPLETE)

    def forget(self, number: int) -> None:
        """Note that a trial failed, whatever it had reported."""
        trial = self._trials.pop(number, None)
        if trial is not None:
            self._study.tell(trial, state=TrialState.FAIL)
