"""Capacity: the more parameters for the same MACs, the better. Needs no torch; a baseline, not a promise."""

from __future__ import annotations

from hiri_spec import ModelSpec, cost


class Params:
    """Millions of parameters, known without building."""

    name = "params"

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """Millions of parameters; the seed has no say."""
        return cost(spec).params / 1e6
