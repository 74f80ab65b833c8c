"""Dense recipes: what the paper states, and the rules of files."""

from __future__ import annotations

from typing import Any

import pytest

from hiri_spec import SpecError
from hiri_spec.files import builtin_specs
from hiri_spec.tasks.heads import HEADS
from hiri_spec.tasks.recipe_file import builtin_dense_recipes, dense_recipe_for, load_dense_recipe
from hiri_spec.train.recipe_file import builtin_recipes, recipe_yaml

NAMES = ["ade20k_160k", "coco_1x", "coco_3x", "coco_3x_sparse_rcnn", "shapes"]


def test_builtin() -> None:
    assert list(builtin_dense_recipes()) == NAMES
    assert not builtin_dense_recipes().keys() & (builtin_specs().keys() | builtin_recipes().keys())
    for name in NAMES:
        assert load_dense_recipe(name).name == name


@pytest.mark.parametrize(("name", "epochs"), [("coco_1x", 12), ("coco_3x", 36), ("coco_3x_sparse_rcnn", 36)])
def test_coco_is_what_the_paper_states(name: str, epochs: int) -> None:
    recipe = load_dense_recipe(name)
    assert (recipe.epochs, recipe.batch_size, recipe.optimizer.optimizer) == (epochs, 16, "adamw")
    assert (recipe.images.short_side, recipe.images.longest_side) == (1600, 2666)
    assert (recipe.images.short_sides is not None) == (epochs == 36)


def test_ade20k_is_what_the_paper_states() -> None:
    recipe = load_dense_recipe("ade20k_160k")
    assert recipe.epoch_steps is not None
    assert (recipe.epochs * recipe.epoch_steps, recipe.batch_size) == (160_000, 16)
    assert (recipe.optimizer.learning_rate, recipe.optimizer.weight_decay) == (6e-5, 0.01)
    assert (recipe.schedule.schedule, recipe.schedule.warmup_steps) == ("linear", 1500)
    assert (recipe.images.scale, recipe.images.flip, recipe.images.photometric) == ((0.5, 2.0), 0.5, True)


def test_every_head_has_one() -> None:
    assert {dense_recipe_for("coco", head) for head in HEADS.values()} == set(NAMES) - {"coco_3x", "shapes"} | {
        "coco_3x"
    }
    assert dense_recipe_for("shapes:size=64", HEADS["upernet"]) == "shapes"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"distillation": "ema_distill"}, r"ema_distill compares class scores, which no such head gives; use none, or"),
        ({"images.short_side": 3000}, r"images\.short_side: 3000 is longer than longest_side=2666"),
        ({"images.longest_side": 10**9}, r"images\.longest_side: 1000000000 is too large; use 16384 or less"),
        ({"images.short_sides": [800, 10**9]}, r"images\.short_sides\[1\]: 1000000000 is too large; use 16384 or less"),
        (
            {"images.scale": [0.5, 10]},
            r"scale: .* longest_side=2666 up to 26,660 pixels; 16,384 are the most",
        ),
        ({"images.crop": [512, 20000]}, r"images\.crop: \(512, 20000\) is too large; use 16,384 or less a side"),
        ({"images.scale": [2, 0.5]}, r"images\.scale: \[2, 0\.5\] runs backwards; write \[0\.5, 2\]"),
        ({"schedule.milestones": []}, r"schedule\.milestones: step needs some, as in \[8, 11\]"),
        ({"schedule.milestones": [8, 8]}, r"schedule\.milestones: \[8\.0, 8\.0\] must grow from each to the next"),
        ({"augmentation.mixup": 1}, r"the recipe has no augmentation; did you mean"),
    ],
    ids=[
        *("teacher", "sides", "longest", "one of the sides", "scaled", "cropped", "scale"),
        *("no milestones", "equal milestones", "of classification"),
    ],
)
def test_mistakes(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load_dense_recipe("coco_1x", set=changes)


def test_written_and_read_again(tmp_path: Any) -> None:
    for name in NAMES:
        recipe = load_dense_recipe(name)
        place = tmp_path / f"{name}.yaml"
        place.write_text(recipe_yaml(recipe))
        assert load_dense_recipe(place) == recipe
