"""What the training-free scores tell and what they follow: `python -m benchmarks.evaluators`, some ten minutes.

Networks of one cost drawn from the default space, three seeds each. Not run by `make bench`: it has no target.
"""

from __future__ import annotations

import math
import random
import statistics
import time

import numpy

import hiri_spec
from explorer.budget import Budget, fit
from explorer.evaluators import UNTRAINED, load_evaluator
from explorer.space import load_space
from hiri_spec import ModelSpec

NETWORKS = 24
SEEDS = 3
BUDGET_MACS = 5_000_000_000
HR = {"block": "hr", "depth": 18, "width": 320, "downsample": "irds_b"}
EARLY_TRANSFORMER = {"block": "transformer", "depth": 4, "width": 128, "heads": 4, "downsample": "irds_a"}
TABLE_VIII = {
    "HR HR HR HR T": {"stages.2.block": "hr", "stages.2.depth": 8, "stages.3": HR},
    "HR HR HR T T": {"stages.2.block": "hr", "stages.2.depth": 8},
    "HR HR T T T": {"stages.2": EARLY_TRANSFORMER},
    "HR HR CFFN T T": {},
}


def draw_networks() -> list[ModelSpec]:
    """Networks within the budget, all drawn with one seed."""
    space, budget, rng = load_space(), Budget(BUDGET_MACS), random.Random(0)
    found: list[ModelSpec] = []
    while len(found) < NETWORKS:
        candidate = fit(space, budget, space.draw(rng), rng)
        if candidate is not None:
            found.append(candidate.spec)
    return found


def count_simply(spec: ModelSpec) -> dict[str, float]:
    """What a score should not merely be a count of."""
    nodes = list(hiri_spec.graph(spec))
    layers = [math.log(node.params) for node in nodes if node.op.kind in ("conv", "linear")]
    return {
        "params": sum(node.params for node in nodes),
        "activations": sum(math.prod(node.shape) for node in nodes if node.op.kind == "act"),
        "log weights": sum(layers),
        "blocks": sum(run.depth for stage in spec.stages for run in stage),
        "stages": len(spec.stages),
    }


def correlate_ranks(first: list[float], second: list[float]) -> float:
    """Spearman's rank correlation."""
    ranks = [numpy.argsort(numpy.argsort(values)) for values in (first, second)]
    return float(numpy.corrcoef(*ranks)[0, 1])


def main() -> None:
    """Print a table for each evaluator."""
    networks = draw_networks()
    counts = [count_simply(spec) for spec in networks]
    for name in UNTRAINED:
        evaluate = load_evaluator(name)
        began = time.perf_counter()
        scores = [[evaluate(spec, seed) for seed in range(SEEDS)] for spec in networks]
        seconds = (time.perf_counter() - began) / (NETWORKS * SEEDS)
        means = [statistics.mean(row) for row in scores]
        between, within = statistics.stdev(means), statistics.mean(map(statistics.stdev, scores))
        print(f"{name}: {seconds:.2f} s a score; between networks {between:.4g}, between seeds {within:.2g}")
        agreement = correlate_ranks([row[0] for row in scores], [row[1] for row in scores])
        print(f"  rank correlation of two seeds {agreement:.2f}")
        for count in counts[0]:
            print(f"  rank correlation with {count} {correlate_ranks(means, [each[count] for each in counts]):.2f}")
        rows = {row: evaluate(hiri_spec.load("hiri_s", set=changes), 0) for row, changes in TABLE_VIII.items()}
        below = sum(mean < rows["HR HR CFFN T T"] for mean in means)
        print(f"  hiri_s is above {below} of {NETWORKS}")
        print("  Table VIII: " + ", ".join(f"{row} {score:.6g}" for row, score in rows.items()))


if __name__ == "__main__":
    main()
