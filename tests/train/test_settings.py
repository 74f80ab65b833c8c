"""A training that `--epochs` makes short: what of the recipe is fitted to it, and how that is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hiri_spec.tasks.recipe_file import load_dense_recipe
from hiri_spec.train.settings import fit_warmup_steps, read_plan

OF_THREE = "name: mine\nextends: coco_1x\nset: {schedule.milestones: [2, 8, 11]}\n"


def read(changes: dict[str, Any], flags: dict[str, Any], name: str = "coco_1x") -> tuple[Any, list[str]]:
    """A recipe of detection, and what was told."""
    notes: list[str] = []
    return read_plan(load_dense_recipe, name, changes, flags, notes.append), notes


def test_steps_down_come_sooner_in_proportion() -> None:
    recipe, notes = read({}, {"epochs": 6})
    assert recipe.schedule.milestones == (4, 5.5)
    assert notes == [
        "--epochs 6 would leave out steps down of the learning rate, which the recipe has at 8 and 11 of 12 epochs; "
        "they come at 4 and 5.5 instead; --set schedule.milestones=[8,11] leaves them there"
    ]


@pytest.mark.parametrize(
    ("epochs", "milestones"),
    [(11, [8 * 11 / 12, 11 * 11 / 12]), (9, [6, 8.25]), (1, [8 / 12, 11 / 12])],
    ids=["at the last", "between", "one"],
)
def test_none_is_left_out(epochs: int, milestones: list[float]) -> None:
    recipe, notes = read({}, {"epochs": epochs})
    assert list(recipe.schedule.milestones) == pytest.approx(milestones)
    assert len(notes) == 1


def test_three_are_listed(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(OF_THREE)
    recipe, notes = read({}, {"epochs": 6}, str(tmp_path / "mine.yaml"))
    assert recipe.schedule.milestones == (1, 4, 5.5)
    assert "at 2, 8 and 11 of 12 epochs; they come at 1, 4 and 5.5 instead" in notes[0]


@pytest.mark.parametrize(
    ("changes", "flags", "milestones"),
    [
        ({}, {"epochs": 12}, (8, 11)),
        ({}, {"epochs": 24}, (8, 11)),
        ({}, {"epochs": None, "seed": 1}, (8, 11)),
        ({"epochs": 6}, {}, (8, 11)),
        ({"epochs": 4}, {"epochs": 6}, (8, 11)),
        ({"schedule.milestones": [8, 11]}, {"epochs": 6}, (8, 11)),
        ({"schedule.milestones[1]": 10}, {"epochs": 6}, (8, 10)),
        ({"schedule.schedule": "cosine"}, {"epochs": 6}, (8, 11)),
    ],
    ids=["the same", "longer", "no flag", "set", "longer than set", "told", "told in part", "cosine"],
)
def test_they_stay_where(changes: dict[str, Any], flags: dict[str, Any], milestones: tuple[float, ...]) -> None:
    recipe, notes = read(changes, flags)
    assert recipe.schedule.milestones == milestones
    assert notes == []


def test_a_warm_up_in_epochs_is_fitted_beside(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "name: mine\nextends: coco_1x\nset: {schedule.warmup_steps: null, schedule.warmup_epochs: 2}\n"
    )
    recipe, notes = read({}, {"epochs": 2}, str(tmp_path / "mine.yaml"))
    assert recipe.schedule.warmup_epochs == pytest.approx(0.2)
    assert recipe.schedule.milestones == pytest.approx((16 / 12, 22 / 12))
    assert [note.split(" ")[2] for note in notes] == ["leaves", "would"]


@pytest.mark.parametrize(
    ("images", "steps", "note"),
    [
        (16, 0, "--epochs 1 has 1 step, which leaves nothing after the recipe's warm-up, so that is left out"),
        (
            16 * 10,
            1,
            "--epochs 1 has 10 steps, which leaves nothing after the recipe's warm-up; that takes 1 step instead; "
            "--set schedule.warmup_steps=0 leaves it out",
        ),
    ],
    ids=["nothing to warm up", "a step"],
)
def test_a_warm_up_in_steps_is_fitted(images: int, steps: int, note: str) -> None:
    recipe, _ = read({}, {"epochs": 1})
    notes: list[str] = []
    assert fit_warmup_steps(recipe, images, {}, {"epochs": 1}, notes.append).schedule.warmup_steps == steps
    assert notes == [note]
