"""GMACs: billions of multiply-adds, the nearer to the budget the better. A baseline, not a promise."""

from __future__ import annotations

from hiri_spec import ModelSpec, cost

QUICK = True


class Macs:
    """Billions of multiply-adds of one image of the spec's size, known without building and without torch.

    With it every network of another cost is on a Pareto front of score and cost: search with `--objective score`.
    """

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """Billions of multiply-adds; the seed has no say."""
        return cost(spec).macs / 1e9
