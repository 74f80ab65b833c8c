"""The state of a run: all of it comes back."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from hiri_spec.train.checkpoints import read_checkpoint, write_checkpoint
from hiri_spec.train.distill import Teacher
from hiri_spec.train.optimization import make_optimizer, make_scheduler
from hiri_spec.train.plan import Distillation
from hiri_spec.train.recipe import Recipe
from hiri_spec.train.state import Parts, Progress, capture, capture_random, restore, restore_random

RECIPE = Recipe.model_validate({"name": "a", "epochs": 3, "schedule": {"warmup_epochs": 1}})
CPU = torch.device("cpu")


def make_parts(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 2))
    optimizer = make_optimizer(model, RECIPE.optimizer)
    teacher = Teacher(model, Distillation())
    return Parts(model, teacher, optimizer, make_scheduler(optimizer, RECIPE, 5), Accelerator(cpu=True), Progress())


def step(parts: Parts) -> Tensor:
    """One step on random images."""
    parts.optimizer.zero_grad()
    loss: Tensor = parts.model(torch.randn(4, 3, 8, 8) + random.random() + np.random.rand()).square().mean()
    loss.backward()
    parts.optimizer.step()
    parts.progress.steps += 1
    parts.scheduler.step_update(parts.progress.steps)
    assert parts.teacher is not None
    parts.teacher.update(parts.model, parts.progress.steps)
    return loss.detach()


def test_it_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    parts = make_parts(0)
    for _ in range(4):
        step(parts)
    parts.progress.rows.append({"epoch": 1, "top1": 50.0, "ema_top1": None})
    write_checkpoint(tmp_path, capture(parts), keep=1)
    expected = [step(parts) for _ in range(4)]
    other = make_parts(1)
    random.seed(7)
    np.random.seed(7)
    state = read_checkpoint(tmp_path, print)
    assert state is not None
    restore(other, state, seed=0)
    assert (other.progress.steps, other.progress.rows) == (4, [{"epoch": 1, "top1": 50.0, "ema_top1": None}])
    assert [step(other) for _ in range(4)] == expected
    assert parts.teacher is not None
    assert other.teacher is not None
    for own, theirs in ((parts.model, other.model), (parts.teacher.model, other.teacher.model)):
        torch.testing.assert_close(dict(own.state_dict()), dict(theirs.state_dict()), rtol=0, atol=0)
    assert [group["lr"] for group in other.optimizer.param_groups] == [
        group["lr"] for group in parts.optimizer.param_groups
    ]


def test_a_process_that_was_not_there_draws_numbers_of_its_own(tmp_path: Path) -> None:
    parts = make_parts(0)
    state = capture(parts) | {"random": []}
    restore(parts, state, seed=5)
    first = torch.rand(3)
    restore(parts, state, seed=5)
    assert torch.equal(first, torch.rand(3))


def test_generators_come_back() -> None:
    def draw() -> tuple[float, float, float, float]:
        return random.random(), random.gauss(0, 1), float(np.random.standard_normal()), float(torch.rand(()))

    draw()  # an odd number of normal ones leaves one in store
    state = capture_random(CPU)
    expected = [draw() for _ in range(3)]
    restore_random(state, CPU)
    assert [draw() for _ in range(3)] == expected
