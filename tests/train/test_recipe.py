"""Recipes: the paper's values, the rules of files, errors in the words of specs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hiri_spec import SpecError
from hiri_spec.document import parse
from hiri_spec.files import builtin_specs
from hiri_spec.messages import validate_as
from hiri_spec.train.recipe import Recipe
from hiri_spec.train.recipe_file import builtin_recipes, compare_recipes, load_recipe, recipe_for, recipe_yaml

NAMES = ["digits", "finegrain", "finetune_768", "imagenet", "short_finegrain"]


def test_builtin() -> None:
    assert list(builtin_recipes()) == NAMES
    assert not builtin_recipes().keys() & builtin_specs().keys()
    for name in NAMES:
        assert load_recipe(name).name == name


def test_imagenet_is_what_the_paper_states() -> None:
    recipe = load_recipe("imagenet")
    assert (recipe.epochs, recipe.batch_size) == (300, 1024)
    assert recipe.optimizer.model_dump(include={"optimizer", "learning_rate", "weight_decay"}) == {
        "optimizer": "adamw",
        "learning_rate": 1e-3,
        "weight_decay": 0.05,
    }
    assert (recipe.schedule.schedule, recipe.schedule.warmup_epochs) == ("cosine", 5)
    augmentation = recipe.augmentation
    assert min(augmentation.flip, augmentation.mixup, augmentation.cutmix, augmentation.erasing) > 0
    assert augmentation.rand_augment is not None
    assert recipe.distillation.teaches


def test_defaults_are_imagenets() -> None:
    assert not list(compare_recipes(Recipe(name="own"), load_recipe("imagenet")))


def test_fine_tuning_extends_it() -> None:
    recipe = load_recipe("finetune_768")
    assert (recipe.epochs, recipe.resolution, recipe.schedule.schedule) == (30, 768, "cosine")
    assert recipe.optimizer.learning_rate < load_recipe("imagenet").optimizer.learning_rate


@pytest.mark.parametrize(
    ("data", "name"),
    [("digits", "digits"), ("finegrain:classes=8", "finegrain"), ("/data/imagenet", "imagenet"), ("x", "imagenet")],
)
def test_which_goes_with_data(data: str, name: str) -> None:
    assert recipe_for(data) == name


@pytest.mark.parametrize("name", NAMES)
def test_whole_text_reads_as_the_same(name: str) -> None:
    recipe = load_recipe(name)
    text = recipe_yaml(recipe)
    assert validate_as(Recipe, parse(text, "recipe.yaml"), "recipe", "name") == recipe
    for field, value in recipe.model_dump().items():
        assert f"{field}:" in text or value is None
        for inner in value if isinstance(value, dict) else ():
            assert f"  {inner}: " in text


def test_every_field_is_explained() -> None:
    for part in (
        Recipe,
        *(type(value) for value in Recipe(name="a").__dict__.values() if hasattr(value, "model_dump")),
    ):
        for name, field in part.model_fields.items():
            assert field.description, f"{part.__name__}.{name}"


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: imagenet\nname: mine\nepochs: 90\nset: {optimizer.learning_rate: 0.002}\n")
    recipe = load_recipe(path, set={"distillation": "ema", "augmentation.mixup": 0.2})
    changed = {path: after for path, _, after in compare_recipes(load_recipe("imagenet"), recipe)}
    assert changed == {
        "epochs": 90,
        "optimizer.learning_rate": 0.002,
        "distillation.distillation": "ema",
        "augmentation.mixup": 0.2,
    }


@pytest.mark.parametrize("name", ["none", "ema", "ema_distill"])
def test_a_name_alone_stands_for_its_part(name: str) -> None:
    assert Recipe.model_validate({"name": "a", "distillation": name}).distillation.distillation == name
    # on top of a part that is written out it changes the name and nothing else
    recipe = load_recipe("digits", set={"distillation": name})
    assert recipe.distillation == load_recipe("digits").distillation.model_copy(update={"distillation": name})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nepoch: 3\n", r"r.yaml:2 epoch: a recipe has no field 'epoch'; did you mean 'epochs'\?"),
        ("name: a\noptimizer:\n  learning_rat: 1\n", r"r.yaml:3 optimizer.learning_rat: optimizer has no field"),
        ("name: a\nepochs: 2\n", r"r.yaml:2 epochs: 2 leaves nothing after schedule.warmup_epochs=5"),
        ("name: a\nbatch_size: 9\naccumulate: 2\n", r"r.yaml:2 batch_size: 9 is not a multiple of accumulate=2"),
        ("name: a\ndistillation: emma\n", r"r.yaml:2 distillation: 'emma' is not known here; use 'none'"),
        ("name: a\noptimizer: {learning_rate: 0}\n", r"r.yaml:2 optimizer.learning_rate: 0 is too small"),
        ("name: a\ndistillation: {decay_warmup: 1}\n", r"r.yaml:2 distillation.decay_warmup: 1 is neither true nor"),
        ("name: a\naugmentation: none\n", r"r.yaml:2 augmentation: 'none' is no mapping of fields"),
        ("epochs: 3\n", r"r.yaml:1 name is missing|name is missing; add `name: …`"),
        ("extends: imagenett\n", r"r.yaml:1 extends: there is no file 'imagenett'; did you mean 'imagenet'\?"),
        ("extends: hiri_s\n", r"r.yaml:1 extends: there is no file 'hiri_s'; did you mean 'digits'"),
        ("- a\n", r"is no recipe; write a mapping with name and epochs"),
        (
            "name: a\nset: {optimizr.momentum: 1}\n",
            r"r.yaml:2 optimizr.momentum: the recipe has no optimizr; did you mean 'optimizer'",
        ),
    ],
    ids=lambda value: value[:25].replace("\n", " ") if value.endswith("\n") else "",
)
def test_mistakes(text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(text)
    with pytest.raises(SpecError, match=message):
        load_recipe("r.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer.lr": 1}, r"--set optimizer.lr: optimizer has no field 'lr'"),
        ({"distillation": "emma"}, r"--set distillation.distillation: 'emma' is not known here"),
        ({"augmentation": "none"}, r"--set augmentation: 'none' is no mapping of fields"),
        ({"resolution": 16}, r"--set resolution: 16 is too small; use 32 or more a side"),
    ],
    ids=["field", "name", "mapping", "resolution"],
)
def test_mistakes_in_set(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load_recipe("imagenet", set=changes)


def test_an_unknown_name() -> None:
    with pytest.raises(SpecError, match=r"'imagnet' is no file and no built-in recipe; did you mean 'imagenet'\?"):
        load_recipe("imagnet")


def test_what_changes_no_result_is_no_difference() -> None:
    recipe = load_recipe("digits")
    other = load_recipe("digits", set={"checkpointing.keep": 9, "name": "other", "description": None})
    assert not list(compare_recipes(recipe, other))
    assert list(compare_recipes(recipe, load_recipe("digits", set={"seed": 1}))) == [("seed", 0, 1)]


def test_no_torch_is_loaded() -> None:
    code = "import sys; from hiri_spec.train.recipe_file import load_recipe; load_recipe('imagenet'); "
    code += "import hiri_spec.train.run_folder, hiri_spec.train.settings; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
