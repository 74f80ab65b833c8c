"""Recipes from files and back: by path or built-in name, with `extends` and `set`, as specs are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, TypeVar

from ..errors import Path, format_path
from ..files import SPECS, Kind, load_document
from ..messages import validate_as
from ..saving import flow_text
from .plan import Plan
from .recipe import Recipe

PlanType = TypeVar("PlanType", bound=Plan)
DEFAULT_RECIPE = "imagenet"
OF_NO_RESULT = ("name", "description", "checkpointing", "max_unreadable")
"""Fields that change nothing about what comes out."""


def builtin_recipes() -> dict[str, FilePath]:
    """The built-in recipes by name."""
    return {path.stem: path for path in sorted((SPECS / "recipes").glob("*.yaml"))}


RECIPE = Kind(
    "recipe",
    builtin_recipes,
    ("optimizer", "schedule", "distillation", "augmentation", "checkpointing"),
    "optimizer.learning_rate: 0.001",
    named=("optimizer", "schedule", "distillation"),
)


def load_recipe(path_or_name: str | os.PathLike[str], *, set: Mapping[str, Any] | None = None) -> Recipe:
    """Load a recipe from a YAML file or by a built-in name such as "imagenet"; `set` changes values by dotted path.

    Raises SpecError, with file, line and path, for whatever is wrong with it.
    """
    return load_plan(Recipe, RECIPE, path_or_name, set)


def load_plan(
    form: type[PlanType], kind: Kind, path_or_name: str | os.PathLike[str], set: Mapping[str, Any] | None
) -> PlanType:
    """Load a recipe of a form, which is what files of a kind hold; raises SpecError for whatever is wrong with it."""
    return validate_as(form, load_document(path_or_name, set=set, kind=kind), kind.noun, "name and epochs")


def recipe_for(source: str) -> str:
    """The name of the recipe that goes with a data source: one of its own name, or else the paper's."""
    name = source.partition(":")[0]
    return name if name in builtin_recipes() else DEFAULT_RECIPE


def recipe_yaml(recipe: Plan) -> str:
    """The YAML text of a recipe with every field in it."""
    lines = []
    for name, value in recipe.model_dump().items():
        if isinstance(value, Mapping):
            lines.append(f"{name}:\n" + "".join(f"  {key}: {flow_text(item)}\n" for key, item in value.items()))
        elif value is not None or name != "description":
            lines.append(f"{name}: {flow_text(value)}\n")
    return "".join(lines)


def compare_recipes(before: Plan, after: Plan) -> Iterator[tuple[str, Any, Any]]:
    """The fields in which two recipes differ, as dotted path, old and new value; but for what changes no result."""
    old, new = dict(_flat((), before.model_dump())), dict(_flat((), after.model_dump()))
    for path in old | new:
        if path[0] not in OF_NO_RESULT and old.get(path) != new.get(path):
            yield format_path(path), old.get(path), new.get(path)


def _flat(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat((*path, key), item)
    else:
        yield path, value
