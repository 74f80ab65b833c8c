"""Handing out networks that are there already: those that one evaluator has found best, for the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from ..budget import Candidate
from ..space import Space, network_hash
from .network_sampler import NetworkSampler


class PromotingSampler(NetworkSampler):
    """Hands out the promoted in order; raises SpecError when none is left."""

    def __init__(self, space: Space, promoted: Sequence[Candidate]) -> None:
        super().__init__(space)
        self._left = {network_hash(candidate.spec): candidate for candidate in promoted}

    @property
    def has_more(self) -> bool:
        """Whether any is left."""
        return bool(self._left)

    def leave_out(self, network: str) -> None:
        """Take it out of the row."""
        self._left.pop(network, None)

    def sample_relative(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The next in order."""
        if not self._left:
            raise SpecError(Problem("all that were chosen are evaluated", "--then", code="exhausted"))
        candidate = self.candidates[trial.number] = self._left.pop(next(iter(self._left)))
        return self.space.decode(candidate.assignment)
