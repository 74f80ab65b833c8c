"""How two rankings agree: Kendall's τ and Spearman's ρ, with intervals by bootstrap over the networks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from hiri_spec import SpecError

from .table import Measurements

RESAMPLES = 2000
CONFIDENCE = 0.95
FEWEST = 3
TOP_SHARE = 0.1
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its bounds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """How one score agrees with what training says."""

    score: str
    networks: int
    kendall: Interval | None
    """None where the score says the same of all networks."""
    spearman: Interval | None
    regret: float
    """What the best of the score's first tenth lacks to the best of all, in units of the truth."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How every score agrees with one way of training."""

    truth: str
    networks: int
    worst: float
    best: float
    deviation: float
    """Standard deviation between networks, of their means over seeds."""
    repeated: int
    """Networks that were trained more than once."""
    seed_deviation: float | None
    """Standard deviation between trainings of one network."""
    reliability: Interval | None
    """Spearman between two single trainings of the same networks, and so with much of chance in both."""
    rows: tuple[Row, ...]

    def as_data(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def agreements_of(measurements: Measurements) -> list[Agreement]:
    """One for each way of training in a table; raises SpecError if there is none of at least FEWEST networks."""
    truths = [name for name in measurements.measures if _is_training(name)]
    found = [_agree(measurements, truth) for truth in truths if len(measurements.means(truth)) >= FEWEST]
    if not found:
        raise SpecError(f"no training of {FEWEST} networks or more is in this table; measure more of them")
    return found


def _is_training(measure: str) -> bool:
    """Whether a measure is what training found: its evaluator is `train`, and what it is set to stands behind it."""
    return measure.startswith("train:")


def _agree(measurements: Measurements, truth: str) -> Agreement:
    by_seed, means = measurements.values(truth), measurements.means(truth)
    values = list(means.values())
    repeated = [list(seeds.values()) for seeds in by_seed.values() if len(seeds) > 1]
    scores = [name for name in measurements.measures if not _is_training(name)]
    rows = [_compare(score, measurements.means(score), means) for score in scores]
    rows = [row for row in rows if row.networks >= FEWEST]
    return Agreement(
        truth,
        len(values),
        min(values),
        max(values),
        float(np.std(values, ddof=1)),
        len(repeated),
        # pooled over networks, as each was trained a few times only
        float(np.sqrt(np.mean([np.var(seeds, ddof=1) for seeds in repeated]))) if repeated else None,
        _correlate([seeds[0] for seeds in repeated], [seeds[1] for seeds in repeated], "spearman")
        if len(repeated) >= FEWEST
        else None,
        tuple(sorted(rows, key=lambda row: -(row.kendall.value if row.kendall else 0.0))),
    )


def _compare(score: str, scores: dict[str, float], truth: dict[str, float]) -> Row:
    names = [name for name in truth if name in scores]
    own, true = [scores[name] for name in names], [truth[name] for name in names]
    first = sorted(names, key=lambda name: -scores[name])[: max(1, round(TOP_SHARE * len(names)))]
    regret = max(true, default=0.0) - max((truth[name] for name in first), default=0.0)
    return Row(score, len(names), _correlate(own, true, "kendall"), _correlate(own, true, "spearman"), regret)


def _correlate(first: list[float], second: list[float], which: str) -> Interval | None:
    """A rank correlation with its percentile bootstrap interval; None where one side is constant."""
    if len(first) < FEWEST or len({*first}) == 1 or len({*second}) == 1:
        return None
    statistic = {"kendall": _kendall, "spearman": _spearman}[which]
    pairs = np.array(first), np.array(second)
    value = statistic(*pairs)
    rng = np.random.default_rng(0)
    count = len(first)
    drawn = [statistic(pairs[0][picks], pairs[1][picks]) for picks in rng.integers(count, size=(RESAMPLES, count))]
    tail = (1 - CONFIDENCE) / 2
    # a resample may consist of one network over and over, of which there is no correlation
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return Interval(float(value), float(low), float(high))


def _kendall(first: Numbers, second: Numbers) -> float:
    if (first == first[0]).all() or (second == second[0]).all():
        return float("nan")
    return float(stats.kendalltau(first, second).statistic)


def _spearman(first: Numbers, second: Numbers) -> float:
    if (first == first[0]).all() or (second == second[0]).all():
        return float("nan")
    return float(stats.spearmanr(first, second).statistic)
