"""What a run is asked for, from the command line or from Python: which changes go where, and to which recipe."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import Problem, SpecError, suggest
from ..files import parse_path
from ..schema import ModelSpec
from .plan import Plan
from .recipe import Recipe
from .recipe_file import load_recipe, recipe_for

Changes = Mapping[str, Any]
OF_BOTH = ("resolution", "drop_path_rate")
"""Fields of specs and recipes that the recipe's value decides."""


def split_changes(changes: Changes, recipe: type[Plan] = Recipe) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `set` changes in the spec, and what in a recipe of a type; raises SpecError for a field that neither has."""
    of_spec: dict[str, Any] = {}
    of_recipe: dict[str, Any] = {}
    for dotted, value in changes.items():
        field = str(parse_path(dotted)[0])
        fields = recipe.model_fields
        if field in fields and (field in OF_BOTH or field not in ModelSpec.model_fields):
            of_recipe[dotted] = value
        elif field in ModelSpec.model_fields:
            of_spec[dotted] = value
        else:
            known = ModelSpec.model_fields | fields
            message = f"neither the spec nor the recipe has a field {field!r}; {suggest(field, known)}"
            raise SpecError(Problem(message, dotted, "--set", code="no_such_path"))
    return of_spec, of_recipe


def read_recipe(name: str | None, data: str, changes: Changes, flags: Changes) -> Recipe:
    """The recipe of a name, or the one that goes with the data, with changes, and then flags such as epochs, set."""
    with flags_told(flags) as own:
        return load_recipe(name if name is not None else recipe_for(data), set={**changes, **own})


@contextmanager
def flags_told(flags: Changes) -> Iterator[dict[str, Any]]:
    """The flags that were given; a SpecError about the value of one is told of the flag."""
    own = {field: value for field, value in flags.items() if value is not None}
    try:
        yield own
    except SpecError as error:
        raise SpecError(_of_flag(problem, own) for problem in error.problems) from None


def _of_flag(problem: Problem, flags: Changes) -> Problem:
    """A problem with a value that a flag gave is told of the flag."""
    if problem.file == "--set" and problem.path in flags:
        return replace(problem, file="", path=f"--{problem.path.replace('_', '-')}")
    return problem


def default_folder(network: str, data: str) -> Path:
    """Where a run goes that nobody gave a folder: runs/tiny-digits."""
    name = Path(data).resolve().name if Path(data).is_dir() else data
    return Path("runs") / f"{network}-{re.sub(r'[^A-Za-z0-9_.]+', '-', name).strip('-.') or 'data'}"


def parse_size(text: str | None) -> int | list[int] | None:
    """`--resolution` as a recipe has it: a side, or [height, width]."""
    from ..quantities import parse_resolutions

    if text is None:
        return None
    sizes = parse_resolutions(text)
    if len(sizes) != 1:
        raise SpecError(Problem("a network is trained at one size; give one", "--resolution"))
    height, width = sizes[0]
    return height if height == width else [height, width]
