"""The space `small`, every network of which was trained: its table, as evaluators that take microseconds.

`python -m explorer.search --space small --budget 5mmacs --evaluator benchmarks/small_space.py:digits` searches it. The
table is benchmarks/small_space.csv, and these two commands make it again, in some two hours on two cores:

    python -m explorer.trust --space small --budget 5mmacs --window 0.1 --networks all --seeds 3 --repeated 80
        --data digits --epochs 3 --workers 2 --out runs/small_space
    python -m explorer.trust --space small --budget 5mmacs --window 0.1 --networks all --seeds 3 --repeated 80
        --data finegrain:classes=6,train=1200,validation=600 --recipe short_finegrain --epochs 5 --workers 2
        --out runs/small_space
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from explorer.budget import Budget, Candidate, list_candidates
from explorer.space import load_space, network_hash
from explorer.trust.table import Measurements, read_table
from hiri_spec import ModelSpec

TABLE = Path(__file__).with_name("small_space.csv")
BUDGET = Budget(5_000_000)
TRAININGS = {
    "digits": "train:digits:3",
    "finegrain": "train:finegrain:classes=6,train=1200,validation=600:5:short_finegrain",
}


@cache
def measurements() -> Measurements:
    """All that was measured."""
    return read_table(TABLE)[0]


@cache
def accuracies(data: str) -> dict[str, float]:
    """Top-1 in per cent of each network, by its hash: the mean over the seeds it was trained with."""
    return measurements().means(TRAININGS[data])


@cache
def candidates() -> dict[str, Candidate]:
    """The networks of the space within the budget, by their hashes."""
    listed = list_candidates(load_space("small"), BUDGET)
    return {network_hash(candidate.spec): candidate for candidate in listed}


def digits(spec: ModelSpec, seed: int) -> float:
    """Top-1 on digits."""
    return accuracies("digits")[network_hash(spec)]


def finegrain(spec: ModelSpec, seed: int) -> float:
    """Top-1 on finegrain."""
    return accuracies("finegrain")[network_hash(spec)]
