"""What can be typed at the cursor: the fields and values that the JSON Schema of the language allows there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hiri_spec.document import get
from hiri_spec.errors import Path
from hiri_spec.files import builtin_specs
from hiri_spec.saving import flow_text

from .analysis import MAX_CHARACTERS
from .fields import Schema, properties_of, schemas_at
from .outline import Spot, find_spot

_COLON = re.compile(r"[ \t]*:")


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to type: what a list shows, what is put into the text, and what is told about it."""

    label: str
    insert: str
    kind: Literal["field", "value", "block"]
    detail: str
    documentation: str


@dataclass(frozen=True, slots=True)
class Completions:
    """Options for the word from `start` to `end`, indices into the text; the best first."""

    start: int
    end: int
    options: tuple[Option, ...]


def complete(text: str, offset: int) -> Completions | None:
    """What can be typed at an index of a text, however broken it is around; None if nothing is known for there.

    Fields that are written already are left out, and those that are needed come first. What is typed so far narrows
    the options down: those that begin with it come before those that hold it.
    """
    if len(text) > MAX_CHARACTERS or not 0 <= offset <= len(text):
        return None
    spot = find_spot(text, offset)
    if spot is None:
        return None
    typed = text[spot.start : offset].lstrip("'\"").lower()
    options = [option for option in _options(spot, text) if typed in option.label.lower()]
    options.sort(key=lambda option: not option.label.lower().startswith(typed))
    return Completions(spot.start, spot.end, tuple(options)) if options else None


def _options(spot: Spot, text: str) -> list[Option]:
    forms = schemas_at(spot.path, spot.data)
    # a colon and a dash want a space behind them
    lead = " " if text[spot.start - 1 : spot.start] in (":", "-") and spot.role != "key" else ""
    if spot.role == "value":
        return list(_values(spot.path, forms, lead))
    if spot.role == "key":
        return list(_fields(spot.path, forms, get(spot.data, spot.path), "", spot, text))
    if spot.role == "item":
        return list(_parts(forms, _before(spot.path, spot.data), lead))
    path, needs_dash = spot.path, spot.needs_dash
    if not any("properties" in form for form in forms):  # a list, and this its first item
        path, needs_dash = (*path, 0), True
        forms = schemas_at(path, spot.data)
    lead += "- " if needs_dash else ""
    fields = list(_fields(path, forms, None, lead, spot, text))
    is_item = path and isinstance(path[-1], int)
    parts = list(_parts(forms, _before(path, spot.data), lead)) if is_item else []
    return [*fields[:1], *parts, *fields[1:]]


def _fields(path: Path, forms: list[Schema], here: Any, lead: str, spot: Spot, text: str) -> Iterator[Option]:
    """The keys of the mapping at a path that aren't written yet."""
    written = here.keys() - {text[spot.start : spot.end].strip("'\"")} if isinstance(here, Mapping) else set()
    colon = "" if _COLON.match(text, spot.end) else ": "
    for name, (schema, is_needed) in properties_of(forms, here).items():
        if name not in written:
            inside = schemas_at((*path, name), spot.data) or [schema]
            told = [_kind_of_value(inside), "needed" if is_needed else _default(inside)]
            detail = "; ".join(part for part in told if part)
            # of a constant, the description is that of one of several parts
            documentation = "" if "const" in schema else str(schema.get("description", ""))
            yield Option(name, f"{lead}{name}{colon}", "field", detail, documentation)


def _values(path: Path, forms: list[Schema], lead: str) -> Iterator[Option]:
    """The values of a field: words and parts by name, a default."""
    if path == ("extends",):
        yield from (Option(name, lead + name, "value", "built in", "") for name in builtin_specs())
    parts = {option.label: option for option in _parts(forms, {}, lead)}
    seen: set[str] = set()
    for form in forms:
        described = str(form.get("description", ""))
        values = [form["const"]] if "const" in form else list(form.get("enum", ()))
        if form.get("type") == "boolean":
            values = [True, False]
        elif form.get("type") == "null":
            values = [None]
        elif not values and form.get("default") is not None:
            values = [form["default"]]
        for value in values:
            label = flow_text(value)
            if label in seen:
                continue
            seen.add(label)
            if label in parts:
                yield Option(label, lead + label, "block", "", parts.pop(label).documentation)
            else:
                detail = "by default" if "default" in form and value == form["default"] else ""
                yield Option(label, lead + label, "block" if "const" in form else "value", detail, described)
    yield from parts.values()


def _parts(forms: list[Schema], before: Mapping[str, Any], lead: str) -> Iterator[Option]:
    """Whole parts, such as blocks, with the fields they need: as in the part before, or the least legal."""
    for form in forms:
        key = next((name for name, schema in form.get("properties", {}).items() if "const" in schema), None)
        if key is not None:
            name = form["properties"][key]["const"]
            needed = [field for field in form.get("required", ()) if field != key]
            fields = {field: before.get(field, form["properties"][field].get("minimum")) for field in needed}
            insert = lead + flow_text({key: name, **fields})
            yield Option(name, insert, "block", f"with {', '.join(fields)}" if fields else "", form["description"])


def _before(path: Path, data: Any) -> Mapping[str, Any]:
    """The part before the list item at a path, the last run of the stage before; empty if there is none."""
    previous: Any = get(data, (*path[:-1], path[-1] - 1)) if path and isinstance(path[-1], int) and path[-1] else None
    while isinstance(previous, list) and previous:
        previous = previous[-1]
    return previous if isinstance(previous, Mapping) else {}


def _kind_of_value(forms: list[Schema]) -> str:
    """What a value is, in words."""
    words: list[str] = []
    for form in forms:
        constants = [schema["const"] for schema in form.get("properties", {}).values() if "const" in schema]
        choices = constants or [form["const"]] if "const" in form or constants else list(form.get("enum", ()))
        kinds = {"integer": "whole number", "number": "number", "boolean": "true or false", "array": "list"}
        kind = form.get("type")
        words += map(str, choices) if choices else [kinds.get(kind, "")] if kind in kinds else []
    words = list(dict.fromkeys(words))
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else "".join(words)


def _default(forms: list[Schema]) -> str:
    """The default, if it is one and the same in all forms."""
    defaults = {flow_text(form.get("default")) for form in forms}
    return f"{defaults.pop()} by default" if len(defaults) == 1 and defaults != {"null"} else ""
