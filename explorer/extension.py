"""A search that goes on in a larger space: what was tried stays, and stays the network that it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial

from .choices import Assignment
from .journal import copy_trial
from .names import NETWORK
from .space import Space, network_hash

MOST_TOLD = 3


def find_contradictions(trials: Sequence[FrozenTrial], space: Space) -> list[str]:
    """What keeps trials of an older space from being trials of this one; nothing if all they were drawn from is here.

    Choices may have been added, and parameters; an old trial takes the first option of a new parameter, and must decode
    to the same network.
    """
    offered: dict[str, list[Any]] = {}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            if isinstance(distribution, CategoricalDistribution):
                offered.setdefault(name, list(distribution.choices))
    told = [f"{name} is gone" for name in offered if name not in space.parameters]
    for name, choices in offered.items():
        lost = [value for value in choices if name in space.parameters and value not in space.parameters[name].labels]
        if lost:
            told.append(f"{name} no longer offers {', '.join(map(str, lost))}")
    if told:
        return told
    for trial in trials:
        spec = space.spec(_assign(trial.params, space))
        if spec is None or network_hash(spec) != trial.user_attrs.get(NETWORK):
            return [f"what trial {trial.number} stands for is another network now"]
    return []


def carry(trial: FrozenTrial, space: Space, distributions: dict[str, BaseDistribution]) -> FrozenTrial:
    """A trial of an older space as one of this space, in which it is the same network."""
    return copy_trial(trial, params=space.decode(_assign(trial.params, space)), distributions=distributions)


def _assign(params: dict[str, Any], space: Space) -> Assignment:
    return dict.fromkeys(space.parameters, 0) | space.encode(params)
