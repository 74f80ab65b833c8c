"""Optuna's samplers, whose every proposal is fitted to the budget before a trial sees it."""

from __future__ import annotations

import random
import zlib
from typing import Any

import optuna
from optuna.distributions import BaseDistribution

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from ..budget import Budget, Candidate, fit, list_candidates
from ..choices import Assignment
from ..names import DEFAULT_SAMPLER
from ..space import Space, network_hash
from .network_sampler import NetworkSampler
from .proposers import PROPOSERS

MAX_DRAWS = 20_000
"""After so many in vain nothing new is left to be found. A space of no more networks than that is listed instead."""
SMALL_DRAWS = 200
"""How many draws in vain it takes to list a small space."""
CLOSE_DRAWS = 40
"""How often a child that can't be fitted, or was tried before, is changed a little before it is drawn anew."""


class BudgetedSampler(NetworkSampler):
    """Hands out candidates within the budget only, each network once.

    What it draws depends on the seed, the trial's number and the trials before, and on nothing else: a study that was
    interrupted goes on as if it had not been.
    """

    def __init__(self, space: Space, budget: Budget, seed: int, name: str = DEFAULT_SAMPLER) -> None:
        super().__init__(space)
        self._budget = budget
        self._seed = seed
        self._proposer = PROPOSERS[name]
        self.tried: set[str] = set()
        """Hashes of the networks that were drawn."""
        self._listed: dict[str, Candidate] | None = None

    def sample_relative(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """What is proposed, or a random network where nothing is, fitted to the budget."""
        seed = zlib.crc32(f"{self._seed} {trial.number}".encode())
        varied = {name: each for name, each in search_space.items() if not each.single()}
        child = self.space.encode(self._proposer(seed).propose(study, trial, varied))
        candidate = self._fit(child, random.Random(seed))
        self.tried.add(network_hash(candidate.spec))
        self.candidates[trial.number] = candidate
        return self.space.decode(candidate.assignment)

    def draw_apart(self, name: str) -> None:
        """Draw from now on what no other process of the same seed draws, each having a name of its own."""
        self._seed = zlib.crc32(f"{self._seed} {name}".encode())

    def leave_out(self, network: str) -> None:
        """Count it as tried."""
        self.tried.add(network)

    def _fit(self, child: Assignment, rng: random.Random) -> Candidate:
        is_small = self.space.size <= MAX_DRAWS
        for attempt in range(SMALL_DRAWS if is_small else MAX_DRAWS):
            proposal = self.space.draw(rng)
            if child and attempt < CLOSE_DRAWS:
                # what was left out is drawn anew; each further attempt lets go of one more parameter
                proposal |= child
                for name in rng.sample(sorted(child), min(len(child), attempt)):
                    proposal[name] = int(rng.random() * len(self.space.parameters[name].labels))
            candidate = fit(self.space, self._budget, proposal, rng)
            if candidate is not None and network_hash(candidate.spec) not in self.tried:
                return candidate
        if is_small:
            if self._listed is None:
                listed = list_candidates(self.space, self._budget)
                self._listed = {network_hash(candidate.spec): candidate for candidate in listed}
            left = [candidate for known, candidate in self._listed.items() if known not in self.tried]
            if left:
                return rng.choice(left)
        raise self._exhausted(is_small)

    def _exhausted(self, is_sure: bool) -> SpecError:
        found = f"all {len(self.tried)} of this space have been tried" if self.tried else "this space has none"
        if not is_sure:
            found = f"{MAX_DRAWS:,} draws found none, and {len(self.tried)} were tried before"
        message = f"there is no new network within {self._budget}: {found}; loosen the limits or widen the space"
        return SpecError(Problem(message, "--budget", code="exhausted"))
