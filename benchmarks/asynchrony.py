"""What asynchrony costs each sampler: `python -m benchmarks.asynchrony [SEEDS [TRIALS]]`, a simulation of minutes.

A thousand workers draw from one study of the default space. Nothing is evaluated: a network's score is a function of it
that rewards what is costly to find, and how long its evaluation takes is drawn from a log-normal distribution whose
90th percentile is about three times its median, as trainings on a shared cluster do. Whoever is free draws the next
network, when the others' scores are not in yet. For the same number of trials, how good is the best tenth of what was
found, with a thousand workers and with one?
"""

from __future__ import annotations

import heapq
import math
import random
import statistics
import sys
from itertools import pairwise

import optuna

from explorer.budget import Budget, Candidate
from explorer.samplers.budgeted import BudgetedSampler
from explorer.space import load_space

BUDGET = Budget(5 * 10**9)
WORKERS = (1, 100, 1000)
SPREAD = math.log(3) / 1.2816
"""Of the logarithms of times: the 90th percentile of a normal distribution is 1.2816 standard deviations up."""
SAMPLERS = ("random", "nsga2", "tpe")


def score(candidate: Candidate) -> float:
    """A smooth stand-in for an accuracy: deep Transformers late, wide HR early, five stages, widths that double."""
    stages = candidate.spec.stages
    kinds = [(getattr(run, "block", ""), run.depth, run.width) for stage in stages for run in stage]
    late = sum(depth for kind, depth, _ in kinds[2:] if kind == "transformer")
    early = sum(math.log(width) for kind, _, width in kinds[:2] if kind == "hr")
    widths = [width for _, _, width in kinds]
    jumps = sum(abs(math.log2(after / before) - 1) for before, after in pairwise(widths))
    return math.log1p(late) + 0.5 * early - abs(len(stages) - 5) - 0.2 * jumps + 0.1 * math.log(candidate.params)


def simulate(sampler: str, workers: int, seed: int, trials: int) -> float:
    """The mean score of the best tenth of so many trials, with so many workers."""
    drawing, rng = BudgetedSampler(load_space(), BUDGET, seed, sampler), random.Random(seed)
    study = optuna.create_study(direction="maximize", sampler=drawing)
    running: list[tuple[float, int, float]] = []
    now, scores = 0.0, []

    def begin() -> None:
        trial = study.ask(dict(drawing.distributions))
        value = score(drawing.candidates.pop(trial.number))
        heapq.heappush(running, (now + rng.lognormvariate(0.0, SPREAD), trial.number, value))

    begun = min(workers, trials)
    for _ in range(begun):
        begin()
    while running:
        now, number, value = heapq.heappop(running)
        study.tell(number, value)
        scores.append(value)
        if begun < trials:
            begun += 1
            begin()
    return statistics.mean(sorted(scores)[-trials // 10 :])


def main(seeds: int = 3, trials: int = 3000) -> None:
    """Print a table."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"mean score of the best tenth of {trials:,} trials, {seeds} seeds, mean ± standard deviation")
    print("| sampler | " + " | ".join(f"{workers:,} workers" for workers in WORKERS) + " |")
    print("|---" * (len(WORKERS) + 1) + "|")
    for sampler in SAMPLERS:
        cells = []
        for workers in WORKERS:
            found = [simulate(sampler, workers, seed, trials) for seed in range(seeds)]
            cells.append(f"{statistics.mean(found):.3f} ± {statistics.stdev(found) if seeds > 1 else 0.0:.3f}")
        print(f"| {sampler} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
