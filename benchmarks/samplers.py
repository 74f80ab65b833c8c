"""How soon samplers find good networks: `python -m benchmarks.samplers DATA [SEEDS [SAMPLER …]]`, by a table.

Every sampler searches the space `small` as `explorer.search --objective score` does, with many seeds; a network's score
is its accuracy in benchmarks/small_space.csv. Regret is what the best so far lacks to the best of all, in points of
accuracy; ms are of one core. Not run by `make bench`: it has no target, and the Gaussian process takes a while.
"""

from __future__ import annotations

import math
import statistics
import sys
import time

import numpy
import optuna

from explorer.names import SAMPLER_NAMES
from explorer.samplers.budgeted import BudgetedSampler
from explorer.space import load_space, network_hash

from .small_space import BUDGET, accuracies

SEEDS = 30
TRIALS = (10, 20, 40, 60, 80, 120)
RESAMPLES = 2000


def search(sampler: str, truth: dict[str, float], seed: int) -> list[float]:
    """The regret after each trial of one search."""
    drawing = BudgetedSampler(load_space("small"), BUDGET, seed, sampler)
    study = optuna.create_study(direction="maximize", sampler=drawing)
    best, most, regrets = -math.inf, max(truth.values()), []
    for _ in range(TRIALS[-1]):
        trial = study.ask(dict(drawing.distributions))
        score = truth[network_hash(drawing.candidates.pop(trial.number).spec)]
        study.tell(trial, score)
        best = max(best, score)
        regrets.append(most - best)
    return regrets


def describe(values: list[float]) -> str:
    """Mean and 95 % interval by bootstrap over the seeds."""
    rng = numpy.random.default_rng(0)
    means = rng.choice(values, (RESAMPLES, len(values))).mean(axis=1)
    low, high = numpy.quantile(means, [0.025, 0.975])
    return f"{statistics.mean(values):.2f} [{low:.2f}, {high:.2f}]"


def main() -> None:
    """Print a table."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    data = sys.argv[1]
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else SEEDS
    truth = accuracies(data)
    print(f"{data}: {len(truth)} networks, {seeds} seeds; regret in points of top-1 after so many trials")
    print("| sampler | " + " | ".join(map(str, TRIALS)) + " | mean over all | ms a trial |")
    print("|---" * (len(TRIALS) + 3) + "|")
    for name in sys.argv[3:] or SAMPLER_NAMES:
        began = time.process_time()
        curves = [search(name, truth, seed) for seed in range(seeds)]
        ms = 1e3 * (time.process_time() - began) / (seeds * TRIALS[-1])
        cells = [describe([curve[trials - 1] for curve in curves]) for trials in TRIALS]
        area = describe([statistics.mean(curve) for curve in curves])
        print(f"| {name} | " + " | ".join([*cells, area, f"{ms:.1f}"]) + " |", flush=True)


if __name__ == "__main__":
    main()
