"""The space that was trained whole: its table is complete, and a search of it can be judged in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.samplers import search as regrets_of
from benchmarks.small_space import BUDGET, TABLE, TRAININGS, accuracies, candidates, measurements
from explorer.evaluators import UNTRAINED
from explorer.search import search

DATA = list(TRAININGS)


def test_every_network_has_every_score() -> None:
    networks = candidates().keys()
    assert len(networks) >= 200
    for score in UNTRAINED:
        assert measurements().values(score).keys() == networks, score


@pytest.mark.parametrize("data", DATA)
def test_every_network_was_trained_and_a_third_three_times(data: str) -> None:
    trained = measurements().values(TRAININGS[data])
    assert trained.keys() == candidates().keys()
    assert all(0 in seeds for seeds in trained.values())
    assert 3 * sum(len(seeds) == 3 for seeds in trained.values()) >= len(trained)
    assert all(0 <= value <= 100 for seeds in trained.values() for value in seeds.values())


@pytest.mark.parametrize("data", DATA)
def test_a_search_of_it_scores_by_the_table(tmp_path: Path, data: str) -> None:
    evaluator = f"{TABLE.with_suffix('.py')}:{data}"
    found = search(BUDGET.macs, space="small", evaluator=evaluator, objective="score", trials=60, out=tmp_path / "run")
    truth = accuracies(data)
    assert len(found.members) == 60
    assert {member.score for member in found.members} <= set(truth.values())
    assert found.best.score >= sorted(truth.values())[-24], "of 60 networks one should be in the best tenth"


@pytest.mark.parametrize("sampler", ["nsga2", "tpe"])
def test_regret_only_falls(sampler: str) -> None:
    truth = accuracies("digits")
    curve = regrets_of(sampler, truth, seed=0)
    assert curve == sorted(curve, reverse=True)
    assert curve[-1] < 0.5 * (max(truth.values()) - min(truth.values()))
