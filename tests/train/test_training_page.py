"""docs/training.md explains every field of a recipe, with its default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from hiri_spec.saving import flow_text
from hiri_spec.train.recipe import Recipe

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "training.md"


def rows(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The rows of the table: dotted path, default, meaning."""
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from rows(type(field.default), f"{name}.")
        elif prefix or name not in ("name", "description"):
            yield f"| `{prefix}{name}` | {flow_text(shortened(field.default))} | {field.description} |"


def shortened(value: object) -> object:
    """Thirds with four digits."""
    if isinstance(value, tuple):
        return [shortened(item) for item in value]
    return round(value, 4) if isinstance(value, float) and value > 1e-3 else value


def test_every_field_is_on_the_page() -> None:
    table = "\n".join(["| field | default | |", "|---|---|---|", *rows(Recipe)])
    assert table in PAGE.read_text()
