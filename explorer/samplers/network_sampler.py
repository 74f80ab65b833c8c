"""What draws the networks of a study, as one of Optuna's samplers: all parameters of a trial together."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler

from ..budget import Candidate
from ..space import Space, network_hash


class NetworkSampler(BaseSampler):
    """Hands out networks of a space, each once; `candidates` has those handed out, by their trials' numbers."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.distributions: dict[str, BaseDistribution] = {
            name: CategoricalDistribution(parameter.labels) for name, parameter in space.parameters.items()
        }
        self.candidates: dict[int, Candidate] = {}

    def remember(self, params: dict[str, Any]) -> str | None:
        """Take a trial of an earlier run, or of another process, into account; returns the hash of its network."""
        spec = self.space.spec(self.space.encode(params))
        if spec is None:
            return None
        name = network_hash(spec)
        self.leave_out(name)
        return name

    @abstractmethod
    def leave_out(self, network: str) -> None:
        """Hand out a network no more."""

    def infer_relative_search_space(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The whole space: parameters that have no say in a network are carried along."""
        return dict(self.distributions)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Never needed: every parameter is drawn with the others."""
        raise RuntimeError(f"{param_name} is not a parameter of this space")
