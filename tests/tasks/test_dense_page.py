"""docs/dense.md explains every field of a task and of a dense recipe, and lists heads as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from field_tables import HEAD, rows

from hiri_spec.tasks.heads import HEADS, Head
from hiri_spec.tasks.recipe import DenseRecipe
from hiri_spec.tasks.recipe_file import builtin_dense_recipes
from hiri_spec.tasks.task import Task
from hiri_spec.train.plan import Plan

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "dense.md").read_text()


def test_every_field_of_a_task() -> None:
    assert "\n".join([*HEAD, *rows(Task)]) in PAGE


def test_every_field_of_a_recipe_that_others_have_not() -> None:
    own = [row for row in rows(DenseRecipe) if row.split("`")[1].partition(".")[0] not in Plan.model_fields]
    assert len(own) > len(DenseRecipe.model_fields) - len(Plan.model_fields)
    assert "\n".join([*HEAD, *own]) in PAGE


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_heads(head: Head) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{head.name}` |")]
    assert f"| {', '.join(head.hosts)} | {', '.join(map(str, head.strides))}" in row
    assert f"`{head.recipe}`" in row
    assert all(str(stride) in row for stride in head.extra_strides)


def test_recipes() -> None:
    assert all(f"| `{name}` |" in PAGE for name in builtin_dense_recipes())
