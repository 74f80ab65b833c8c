"""Tables of the fields of recipes and tasks, as the documentation has them."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from hiri_spec.saving import flow_text

HEAD = ("| field | default | |", "|---|---|---|")


def rows(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The rows of the table: dotted path, default, meaning."""
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from rows(type(field.default), f"{name}.")
        elif prefix or name not in ("name", "description"):
            default = "" if field.is_required() else flow_text(shortened(field.default))
            yield f"| `{prefix}{name}` | {default} | {field.description} |"


def shortened(value: object) -> object:
    """Thirds with four digits."""
    if isinstance(value, tuple):
        return [shortened(item) for item in value]
    return round(value, 4) if isinstance(value, float) and value > 1e-3 else value
