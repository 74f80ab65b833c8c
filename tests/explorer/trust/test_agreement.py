"""Rank correlations with intervals: what is perfect is 1, what is chance has 0 within, and scipy agrees."""

from __future__ import annotations

import random

import pytest
from scipy import stats

from explorer.trust.agreement import Agreement, agreements_of
from explorer.trust.table import Measurement, Measurements
from hiri_spec import SpecError

TRUTH = "train:digits:3"


def measured(scores: dict[str, list[float]], truth: list[list[float]]) -> Measurements:
    """Values of networks by their places; of the truth a list of seeds for each."""
    rows = [
        Measurement(str(place), score, 0, value, 1.0)
        for score, values in scores.items()
        for place, value in enumerate(values)
    ]
    rows += [
        Measurement(str(place), TRUTH, seed, value, 1.0)
        for place, seeds in enumerate(truth)
        for seed, value in enumerate(seeds)
    ]
    return Measurements(rows)


def agree(scores: dict[str, list[float]], truth: list[list[float]]) -> Agreement:
    (found,) = agreements_of(measured(scores, truth))
    return found


def test_the_best_comes_first_and_perfect_is_1() -> None:
    truth = [[float(place)] for place in range(30)]
    found = agree({"zico": [-v[0] for v in truth], "params": [v[0] ** 3 for v in truth], "macs": [1.0] * 30}, truth)
    assert [row.score for row in found.rows] == ["params", "macs", "zico"]
    best, constant, worst = found.rows
    assert best.kendall is not None
    assert (best.kendall.value, best.kendall.low, best.kendall.high, best.regret) == pytest.approx((1, 1, 1, 0))
    assert worst.spearman is not None
    assert worst.spearman.value == pytest.approx(-1)
    assert worst.regret == pytest.approx(27)  # its best three are the three worst
    assert constant.kendall is constant.spearman is None


def test_noise_has_0_in_its_interval_and_agrees_with_scipy() -> None:
    rng = random.Random(4)
    truth = [[rng.random()] for _ in range(60)]
    half = [seeds[0] + rng.gauss(0, 0.3) for seeds in truth]
    found = agree({"random": [rng.random() for _ in truth], "naswot": half}, truth)
    by_name = {row.score: row for row in found.rows}
    values = [seeds[0] for seeds in truth]
    naswot, noise = by_name["naswot"], by_name["random"]
    assert naswot.kendall is not None
    assert naswot.spearman is not None
    assert noise.kendall is not None
    assert naswot.kendall.value == pytest.approx(stats.kendalltau(half, values).statistic)
    assert naswot.spearman.value == pytest.approx(stats.spearmanr(half, values).statistic)
    assert 0 < naswot.kendall.low < naswot.kendall.value < naswot.kendall.high < 1
    assert noise.kendall.low < 0 < noise.kendall.high
    assert agree({"random": half}, truth) == agree({"random": half}, truth), "the bootstrap has a seed"


def test_repeated_trainings_say_how_far_training_agrees_with_itself() -> None:
    truth = [[float(place), float(place) + 2] for place in range(10)] + [[50.0]] * 5
    found = agree({"params": [1.0 * place for place in range(15)]}, truth)
    assert found.repeated == 10
    assert found.seed_deviation == pytest.approx(2**0.5)
    assert found.reliability is not None
    assert found.reliability.value == pytest.approx(1)
    assert (found.worst, found.best, found.networks) == (1.0, 50.0, 15)


def test_networks_that_a_score_lacks_are_left_out() -> None:
    found = agree({"params": [3.0, 2.0, 1.0], "zico": [1.0, 2.0]}, [[1.0], [2.0], [3.0], [4.0]])
    assert [(row.score, row.networks) for row in found.rows] == [("params", 3)]


def test_too_few() -> None:
    with pytest.raises(SpecError, match="no training of 3 networks or more is in this table"):
        agreements_of(measured({"params": [1.0, 2.0]}, [[1.0], [2.0]]))


def test_any_score_is_ranked_and_only_training_is_the_truth() -> None:
    found = agree({"mine.py:score": [1.0, 2.0, 3.0], "latency": [3.0, 2.0, 1.0]}, [[1.0], [2.0], [3.0]])
    assert found.truth == TRUTH
    assert [row.score for row in found.rows] == ["mine.py:score", "latency"]
