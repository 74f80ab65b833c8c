"""Which parameters of a space set the best networks of a search apart from the rest: PED-ANOVA, by Optuna."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..choices import Parameter

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from ..results import Member

FEWEST_TRIALS = 10
BEST_SHARE = 0.1
FEWEST_BEST = 5
"""Of the networks that count as the best, for the estimate to be steady, as Optuna's documentation has it."""


def best_share(trials: int) -> float:
    """The share of all trials that counts as the best."""
    return max(BEST_SHARE, FEWEST_BEST / trials)


def importances(members: Sequence[Member], parameters: Mapping[str, Parameter]) -> dict[str, float]:
    """The share of each parameter in what sets the best apart, highest first; they add up to 1.

    Empty where that can't be told: of fewer than FEWEST_TRIALS trials, of scores that are all the same, or where no
    parameter has two values. A parameter counts among the networks in which it has a say (Conditional PED-ANOVA, 2026).
    """
    if len(members) < FEWEST_TRIALS or len({member.score for member in members}) < 2:
        return {}
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    distributions = {name: _distribution(parameter) for name, parameter in parameters.items()}
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # a study in memory need not be announced
    study = optuna.create_study(direction="maximize")
    optuna.logging.set_verbosity(before)
    for member in members:
        study.add_trial(
            optuna.trial.create_trial(
                params=member.values,
                distributions={name: distributions[name] for name in member.values},
                value=member.score,
            )
        )
    evaluator = PedAnovaImportanceEvaluator(target_quantile=best_share(len(members)))
    with warnings.catch_warnings():
        # that few networks have a parameter, or that none sets the best apart: the page says what it shows
        warnings.simplefilter("ignore")
        found = get_param_importances(study, evaluator=evaluator, normalize=False)
    whole = sum(found.values())
    return {name: share / whole for name, share in found.items() if share > 0}


def _distribution(parameter: Parameter) -> BaseDistribution:
    """Steps of a range have an order, options of a choice have none."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    labels = parameter.labels
    if not parameter.is_range or len(labels) < 2:
        return CategoricalDistribution(labels)
    step = labels[1] - labels[0]
    if all(isinstance(label, int) for label in labels):
        return IntDistribution(labels[0], labels[-1], step=step)
    return FloatDistribution(labels[0], labels[-1], step=step)
