"""docs/training.md explains every field of a recipe, with its default."""

from __future__ import annotations

from pathlib import Path

from field_tables import HEAD, rows

from hiri_spec.train.recipe import Recipe

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "training.md"


def test_every_field_is_on_the_page() -> None:
    assert "\n".join([*HEAD, *rows(Recipe)]) in PAGE.read_text()
