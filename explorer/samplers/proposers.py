"""What proposes the next network: Optuna's samplers that draw options, each made anew for every trial from its seed.

A new one is one class here, and its name in PROPOSERS and in `explorer.names`. What it proposes is then fitted to the
budget by BudgetedSampler; the trials that it sees are the networks that came of that.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import GPSampler, NSGAIIISampler, NSGAIISampler, TPESampler
from optuna.samplers._base import BaseSampler
from optuna.trial import FrozenTrial, TrialState

POPULATION = 24
"""Networks of a generation."""
STARTUP_TRIALS = 10
"""What is drawn at random before a model of the trials is of any use, Optuna's default."""

BEST_LEARNT, LATEST_LEARNT = 100, 300
"""Trials that a model is made of: as many of the best, by score, and of the latest. Of all it takes 50 ms at 3,000."""

Distributions = dict[str, BaseDistribution]


class Proposer(Protocol):
    """Proposes values for some of the parameters, or none: what it leaves out is drawn at random."""

    def propose(self, study: optuna.Study, trial: FrozenTrial, distributions: Distributions) -> dict[str, Any]: ...


_alone = threading.RLock()
"""What to do with warnings is the process's, not a thread's: one that leaves would undo what another has set."""


@contextmanager
def _experimental() -> Iterator[None]:
    """Optuna's notes that an interface may change are for us, who test with its version, and not for users."""
    with _alone, warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


class RandomProposer:
    """Everything at random: what the others have to beat."""

    def __init__(self, seed: int) -> None:
        pass

    def propose(self, study: optuna.Study, trial: FrozenTrial, distributions: Distributions) -> dict[str, Any]:
        """Nothing."""
        return {}


class _Evolution:
    """Children of the generation before, by one of Optuna's genetic algorithms."""

    def __init__(self, sampler: NSGAIISampler | NSGAIIISampler) -> None:
        self._sampler = sampler

    def propose(self, study: optuna.Study, trial: FrozenTrial, distributions: Distributions) -> dict[str, Any]:
        """A child; nothing in the first generation."""
        # asked for once here, as Optuna orders the parents by rank the first time and by number from then on: which
        # of the two a trial saw would tell whether the search had been interrupted before it
        self._sampler.get_parent_population(study, self._sampler.get_trial_generation(study, trial))
        return self._sampler.sample_relative(study, trial, distributions)


class Nsga2Proposer(_Evolution):
    """NSGA-II (Deb et al. 2002)."""

    def __init__(self, seed: int, population: int = POPULATION) -> None:
        super().__init__(NSGAIISampler(population_size=population, seed=seed))


class Nsga3Proposer(_Evolution):
    """NSGA-III (Deb and Jain 2014)."""

    def __init__(self, seed: int, population: int = POPULATION) -> None:
        with _experimental():
            super().__init__(NSGAIIISampler(population_size=population, seed=seed))


class _Excerpt:
    """A study of which a sampler sees the best trials and the latest, so that it takes no longer the more there are."""

    def __init__(self, study: optuna.Study) -> None:
        self._study = study

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        trials = self._study._get_trials(deepcopy=deepcopy, states=states, use_cache=use_cache)
        if len(self._study.directions) > 1:
            # what was stopped has scores on its way, which Optuna can't rank where there are two objectives
            trials = [trial for trial in trials if trial.state != TrialState.PRUNED]
        if len(trials) <= BEST_LEARNT + LATEST_LEARNT:
            return trials
        older = trials[:-LATEST_LEARNT]
        scored = [trial for trial in older if trial.values]
        best = sorted(scored, key=lambda trial: (-trial.values[0], trial.number))[:BEST_LEARNT]
        return sorted(best, key=lambda trial: trial.number) + trials[-LATEST_LEARNT:]


class _Model:
    """What a model of the best and the latest trials thinks best."""

    def __init__(self, sampler: BaseSampler) -> None:
        self._sampler = sampler

    def propose(self, study: optuna.Study, trial: FrozenTrial, distributions: Distributions) -> dict[str, Any]:
        """The model's proposal; nothing for the first STARTUP_TRIALS."""
        excerpt = cast(optuna.Study, _Excerpt(study))
        with _experimental():
            self._sampler.infer_relative_search_space(excerpt, trial)
            return self._sampler.sample_relative(excerpt, trial, distributions)


class TpeProposer(_Model):
    """Tree-structured Parzen estimator over all parameters together (Falkner et al. 2018, as Optuna has it)."""

    def __init__(self, seed: int) -> None:
        with _experimental():
            # a trial that is under way counts as a bad one, so that several workers don't all draw the same
            sampler = TPESampler(
                n_startup_trials=STARTUP_TRIALS, multivariate=True, group=True, constant_liar=True, seed=seed
            )
        super().__init__(sampler)


class GpProposer(_Model):
    """Gaussian process (Optuna's, for some hundred trials: it takes a third of a second each)."""

    def __init__(self, seed: int) -> None:
        with _experimental():
            super().__init__(GPSampler(n_startup_trials=STARTUP_TRIALS, seed=seed))


PROPOSERS: dict[str, Callable[[int], Proposer]] = {
    "tpe": TpeProposer,
    "nsga2": Nsga2Proposer,
    "nsga3": Nsga3Proposer,
    "gp": GpProposer,
    "random": RandomProposer,
}
