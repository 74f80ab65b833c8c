"""Optimizer and schedule are the recipe's."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.train import optimization
from hiri_spec.train.optimization import check_optimizer, learning_rate, make_optimizer, make_scheduler
from hiri_spec.train.plan import Optimizer
from hiri_spec.train.recipe import Recipe


def rates(recipe: Recipe, steps_per_epoch: int) -> list[float]:
    """The learning rate of every step."""
    optimizer = make_optimizer(nn.Linear(2, 2), recipe.optimizer)
    scheduler = make_scheduler(optimizer, recipe, steps_per_epoch)
    found = []
    for step in range(recipe.epochs * steps_per_epoch):
        found.append(learning_rate(optimizer))
        scheduler.step_update(step + 1)
    return found


def make(**fields: Any) -> Recipe:
    return Recipe.model_validate({"name": "a", **fields})


def test_up_linearly_then_down_by_a_cosine() -> None:
    schedule = {"warmup_epochs": 2, "warmup_learning_rate": 0.0, "min_learning_rate": 0.1}
    found = rates(make(epochs=10, optimizer={"learning_rate": 1.0}, schedule=schedule), 4)
    assert found[:8] == pytest.approx([step / 8 for step in range(8)])
    cosine = [0.1 + 0.9 * (1 + torch.cos(torch.tensor(torch.pi * step / 40)).item()) / 2 for step in range(8, 40)]
    assert found[8:] == pytest.approx(cosine)


def test_down_linearly() -> None:
    schedule = {"schedule": "linear", "warmup_epochs": 0, "min_learning_rate": 0.0}
    found = rates(make(epochs=2, optimizer={"learning_rate": 1.0}, schedule=schedule), 5)
    assert found == pytest.approx([1 - step / 10 for step in range(10)])


def test_constant() -> None:
    schedule = {"schedule": "constant", "warmup_epochs": 1, "warmup_learning_rate": 0.0}
    found = rates(make(epochs=3, optimizer={"learning_rate": 1.0}, schedule=schedule), 2)
    assert found == pytest.approx([0, 0.5, 1, 1, 1, 1])


def test_down_by_steps() -> None:
    schedule = {"schedule": "step", "milestones": [1, 2.5], "factor": 0.5, "warmup_epochs": 0}
    found = rates(make(epochs=4, optimizer={"learning_rate": 1.0}, schedule=schedule), 2)
    assert found == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_up_in_steps() -> None:
    schedule = {"schedule": "constant", "warmup_steps": 3, "warmup_learning_rate": 0.0}
    recipe = make(epochs=2, optimizer={"learning_rate": 1.0}, schedule=schedule)
    assert rates(recipe, 3) == pytest.approx([0, 1 / 3, 2 / 3, 1, 1, 1])
    with pytest.raises(SpecError, match=r"schedule\.warmup_steps: 3 leaves nothing of 2 steps; use fewer"):
        rates(recipe, 1)


def test_norms_and_biases_are_not_decayed() -> None:
    model = hiri_spec.build("tiny")
    optimizer = make_optimizer(model, Optimizer(weight_decay=0.05))
    decays = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        assert decays[id(parameter)] == (0.05 if parameter.ndim > 1 else 0), name


def test_layers_have_rates_of_their_own() -> None:
    model = hiri_spec.build("tiny")
    optimizer = make_optimizer(model, Optimizer(layer_decay=0.5))
    make_scheduler(optimizer, make(), 5).step_update(25)
    scales = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    stem, last = next(model.stem.parameters()), model.get_classifier().weight
    assert 0 < scales[id(stem)] < scales[id(last)] / 30
    assert learning_rate(optimizer) == scales[id(last)]


@pytest.mark.parametrize(
    ("fields", "kind", "found"),
    [
        ({"optimizer": "sgd", "momentum": 0.8}, torch.optim.SGD, ("momentum", 0.8)),
        ({"betas": (0.9, 0.95)}, torch.optim.AdamW, ("betas", (0.9, 0.95))),
        ({"epsilon": 1e-6}, torch.optim.AdamW, ("eps", 1e-6)),
    ],
    ids=["sgd", "betas", "epsilon"],
)
def test_other_fields(fields: dict[str, Any], kind: type, found: tuple[str, Any]) -> None:
    optimizer = make_optimizer(nn.Linear(2, 2), Optimizer.model_validate(fields))
    assert isinstance(optimizer, kind)
    assert optimizer.param_groups[0][found[0]] == found[1]


def test_an_optimizer_that_timm_has_not() -> None:
    with pytest.raises(SpecError, match=r"optimizer.optimizer: timm has no optimizer 'adamm'; did you mean 'adam'"):
        check_optimizer(Optimizer(optimizer="adamm"))


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [("sgd", "betas", (0.9, 0.99)), ("sgd", "epsilon", 1e-8), ("adan", "betas", (0.9, 0.99))],
    ids=["none", "epsilon", "three"],
)
def test_what_an_optimizer_does_not_take(name: str, field: str, value: Any) -> None:
    with pytest.raises(SpecError, match=rf"optimizer.{field}: {name} has none such; leave it null"):
        check_optimizer(Optimizer.model_validate({"optimizer": name, field: value}))


def test_second_derivatives() -> None:
    with pytest.raises(SpecError, match=r"optimizer.optimizer: adahessian needs second derivatives"):
        check_optimizer(Optimizer(optimizer="adahessian"))


def test_what_timm_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ImportError("apex is missing")

    monkeypatch.setattr(optimization, "create_optimizer_v2", refuse)
    with pytest.raises(SpecError, match=r"optimizer: timm's adamw refuses: apex is missing"):
        make_optimizer(nn.Linear(2, 2), Optimizer())
