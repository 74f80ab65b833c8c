"""Dense recipes from files: by path or built-in name, with `extends` and `set`, as specs are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files import SPECS, Kind
from ..train.recipe_file import load_plan
from .heads import Head
from .recipe import DenseRecipe


def builtin_dense_recipes() -> dict[str, Path]:
    """The built-in recipes by name."""
    return {path.stem: path for path in sorted((SPECS / "recipes" / "dense").glob("*.yaml"))}


DENSE_RECIPE = Kind(
    "recipe",
    builtin_dense_recipes,
    ("optimizer", "schedule", "distillation", "images", "checkpointing"),
    "optimizer.learning_rate: 0.0001",
    named=("optimizer", "schedule", "distillation"),
)


def load_dense_recipe(path_or_name: str | os.PathLike[str], *, set: Mapping[str, Any] | None = None) -> DenseRecipe:
    """Load a recipe from a YAML file or by a built-in name such as "coco_1x"; `set` changes values by dotted path.

    Raises SpecError, with file, line and path, for whatever is wrong with it.
    """
    return load_plan(DenseRecipe, DENSE_RECIPE, path_or_name, set)


def dense_recipe_for(source: str, head: Head) -> str:
    """The name of the recipe that goes with a data source: one of its own name, or else the head's, the paper's."""
    name = source.partition(":")[0]
    return name if name in builtin_dense_recipes() else head.recipe
