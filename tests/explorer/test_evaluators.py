"""Scores: repeatable, and telling networks of one cost apart."""

import random
import statistics

import pytest
import torch

import hiri_spec
from explorer.budget import Budget, fit
from explorer.evaluators import EVALUATORS, load_evaluator
from explorer.space import load_space
from hiri_spec import SpecError


@pytest.mark.parametrize("name", EVALUATORS)
def test_a_score_is_repeatable_and_leaves_the_generator_alone(name: str) -> None:
    spec = hiri_spec.load("hiri_s", set={"stages.3.depth": 1})
    evaluate = load_evaluator(name)
    state = torch.get_rng_state()
    assert evaluate(spec, 0) == evaluate(spec, 0)
    assert torch.equal(torch.get_rng_state(), state)
    assert evaluate.name == name


def test_params() -> None:
    assert load_evaluator("params")(hiri_spec.load("hiri_s"), 0) == pytest.approx(34.392904)


def test_unknown_evaluator() -> None:
    with pytest.raises(SpecError, match="unknown evaluator 'naswat'; did you mean 'naswot'"):
        load_evaluator("naswat")


def test_naswot_orders_table_viii_as_the_text_does() -> None:
    """Rows 1 to 3 put Transformers into more stages and gain; row 4 stays level with row 3 at less cost."""
    rows = [
        {
            "stages.2.block": "hr",
            "stages.2.depth": 8,
            "stages.3": {"block": "hr", "depth": 18, "width": 320, "downsample": "irds_b"},
        },
        {"stages.2.block": "hr", "stages.2.depth": 8},
        {"stages.2": {"block": "transformer", "depth": 4, "width": 128, "heads": 4, "downsample": "irds_a"}},
        {},
    ]
    naswot = load_evaluator("naswot")
    scores = [naswot(hiri_spec.load("hiri_s", set=row), 0) for row in rows]
    assert scores[0] < scores[1] < scores[2]
    assert scores[3] == pytest.approx(scores[2], abs=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zico", "naswot"])
def test_networks_of_one_cost_are_told_apart(name: str) -> None:
    space, budget, rng = load_space(), Budget(1_000_000_000), random.Random(0)
    specs: list[hiri_spec.ModelSpec] = []
    while len(specs) < 8:
        candidate = fit(space, budget, space.draw(rng), rng)
        if candidate is not None:
            specs.append(candidate.spec)
    evaluate = load_evaluator(name)
    scores = [[evaluate(spec, seed) for seed in range(3)] for spec in specs]
    between = statistics.stdev(statistics.mean(row) for row in scores)
    within = statistics.mean(statistics.stdev(row) for row in scores)
    assert between > 20 * within
