"""What can be typed at the cursor: the fields and values that the JSON Schema of the language allows there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from hiri_spec.document import get
from hiri_spec.errors import Path
from hiri_spec.files import builtin_specs, load
from hiri_spec.saving import flow_text, to_data

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
    if spot.path == ("set",):
        return list(_changes(spot, text))
    forms = schemas_at(spot.path, _extended(spot.data) if spot.path[:1] == ("set",) else spot.data)
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


def _extended(data: Any) -> Any:
    """The built-in spec that a text extends, as plain data; empty if it is another file's."""
    name = data.get("extends") if isinstance(data, Mapping) else None
    return _built_in(name) if isinstance(name, str) and name in builtin_specs() else {}


@lru_cache(maxsize=8)
def _built_in(name: str) -> Any:
    return to_data(load(name))


def _changes(spot: Spot, text: str) -> Iterator[Option]:
    """Dotted paths to the values of what a text extends, but for those that it sets already."""
    base = _extended(spot.data)
    here = get(spot.data, spot.path)
    written = here.keys() - {text[spot.start : spot.end].strip("'\"")} if isinstance(here, Mapping) else set()
    colon = "" if _COLON.match(text, spot.end) else ": "
    for path, value in _values_within(base):
        dotted = ".".join(map(str, path))
        if dotted not in written:
            described = next((str(form.get("description", "")) for form in schemas_at(path, base)), "")
            yield Option(dotted, dotted + colon, "field", f"{flow_text(value)} so far", described)


def _values_within(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    inside = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
    for part, item in inside:
        if isinstance(item, Mapping | list):
            yield from _values_within(item, (*path, part))
        else:
            yield (*path, part), item


def _fields(path: Path, forms: list[Schema], here: Any, lead: str, spot: Spot, text: str) -> Iterator[Option]:
    """The keys of the mapping at a path that aren't written yet.

    In brackets one of words comes with a word: without a value the spec would be wrong, and a line is not over there.
    """
    written = here.keys() - {text[spot.start : spot.end].strip("'\"")} if isinstance(here, Mapping) else set()
    colon = "" if _COLON.match(text, spot.end) else ": "
    for name, (schema, is_needed) in properties_of(forms, here).items():
        if name not in written:
            inside = schemas_at((*path, name), spot.data) or [schema]
            told = [_kind_of_value(inside), "needed" if is_needed else _default(inside)]
            detail = "; ".join(part for part in told if part)
            # of a constant, the description is that of one of several parts
            documentation = "" if "const" in schema else str(schema.get("description", ""))
            value = _word((*path, name), inside) if colon and spot.is_flow and "const" not in schema else ""
            yield Option(name, f"{lead}{name}{colon}{value}", "field", detail, documentation)


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


def _word(path: Path, forms: list[Schema]) -> str:
    """For a field that takes one of several words, the one by default or else the first; none if it may be empty."""
    if not all(form.keys() & {"const", "enum", "properties"} or form.get("type") == "boolean" for form in forms):
        return ""
    words = {option.label: option.insert for option in _values(path, forms, "")}
    default = next((flow_text(form["default"]) for form in forms if "default" in form), "")
    return words.get(default, next(iter(words.values()), ""))


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
