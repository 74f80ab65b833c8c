"""Networks of equal cost: drawn from a space, or all of it, in a narrow window, so that bigger is better can't win."""

from __future__ import annotations

import random

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from ..budget import Budget, Candidate, fit, list_candidates
from ..space import Space, network_hash

MOST_LISTED = 1_000_000
"""Networks of a space that is gone through whole."""
DRAWS_EACH = 500
"""Draws in vain after which nothing new is expected."""


def sample_networks(space: Space, budget: Budget, count: int | None, seed: int) -> dict[str, Candidate]:
    """So many different networks within a budget, or all of them, by their hashes, in an order drawn by the seed.

    A larger sample of the same seed begins with the smaller one. Raises SpecError if there are not so many.
    """
    rng = random.Random(f"sample {seed}")
    found: dict[str, Candidate] = {}
    if count is None:
        if space.size > MOST_LISTED:
            message = f"this space has {space.size:.1e} networks, too many to train; ask for a number, like 40"
            raise SpecError(Problem(message, "--networks"))
        listed = {network_hash(each.spec): each for each in list_candidates(space, budget)}
        found = {name: listed[name] for name in rng.sample(sorted(listed), len(listed))}
        if not found:
            raise SpecError(Problem(f"no network of this space costs {budget}; widen --window", "--budget"))
        return found
    vain = 0
    while len(found) < count:
        candidate = fit(space, budget, space.draw(rng), rng)
        name = None if candidate is None else network_hash(candidate.spec)
        if candidate is None or name is None or name in found:
            vain += 1
            if vain > DRAWS_EACH:
                message = f"only {len(found)} networks of {budget} were found; ask for fewer, or widen --window"
                raise SpecError(Problem(message, "--networks"))
            continue
        vain = 0
        found[name] = candidate
    return found
