"""Pydantic's errors → Problems with file, line, path, the actual value and how to fix it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from .block import Block, Downsample, Head, Part, Stem
from .document import Document, get
from .errors import Path, Problem, SpecError, suggest
from .schema import ModelSpec

FAMILIES: tuple[type[Part], ...] = (Block, Stem, Downsample, Head)


def explain(error: ValidationError, document: Document) -> SpecError:
    """Turn a validation error into a SpecError that points into the document."""
    problems: dict[str, Problem] = {}
    for detail in error.errors(include_url=False):
        path = _written_path(detail["loc"], document.data)
        message = _sentence(dict(detail), path, document)
        problem = document.problem(path, message, detail["type"])
        problems.setdefault(problem.path, problem)
    return SpecError(problems.values())


def _written_path(loc: Iterable[str | int], data: Any) -> Path:
    """Drop what validation put into the location and the file does not have: run 0 of a one-run stage, union tags."""
    path: list[str | int] = []
    for part in loc:
        here = get(data, tuple(path))
        if isinstance(part, int) and not isinstance(here, list):
            continue
        if isinstance(part, str) and (not isinstance(here, Mapping) or "[" in part):
            continue
        path.append(part)
    return tuple(path)


def _sentence(detail: dict[str, Any], path: Path, document: Document) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    shown = repr(value) if not isinstance(value, Mapping | list | tuple) else "this"
    if isinstance(value, Mapping) and value.keys() & {"choice", "range"}:
        return "a choice or a range belongs in a search space; for python -m explorer.search --space"
    if kind == "missing":
        return f"a {path[-1]} is needed; add `{path[-1]}: …`"
    if kind == "extra_forbidden":
        fields = _fields_around(path, document)
        return f"unknown field; {suggest(str(path[-1]), fields)}"
    if kind in ("int_type", "int_from_float", "int_parsing"):
        if isinstance(value, float):
            near = sorted({max(1, int(value)), max(1, int(value) + (value % 1 > 0))})
            return f"{shown} is not a whole number; use {' or '.join(map(str, near))}"
        return f"{shown} is not a whole number; write digits without quotes"
    if kind == "greater_than_equal":
        return f"{shown} is too small; use {context['ge']} or more"
    if kind == "greater_than":
        return f"{shown} is too small; use more than {context['gt']}"
    if kind == "less_than":
        return f"{shown} is too large; use less than {context['lt']}"
    if kind == "less_than_equal":
        return f"{shown} is too large; use {context['le']} or less"
    if kind == "literal_error":
        options = [text.strip("' ") for text in context["expected"].replace(" or ", ",").split(",")]
        return f"{shown} is none of {', '.join(options)}; {suggest(str(value), options)}"
    if kind == "float_type":
        return f"{shown} is not a number; write it without quotes"
    if kind == "string_pattern_mismatch":
        return f"{shown} is not a usable name; use letters, digits and underscores, a letter first"
    if kind == "string_type":
        return f"{shown} is not text; put it in quotes"
    if kind == "too_short":
        return f"{path[-1] if path else 'this'} is empty; it needs at least {context['min_length']} item"
    if kind in ("tuple_type", "list_type"):
        return f"{shown} is not a list; write [ … ] or one `- …` a line"
    return str(detail["msg"])


def _fields_around(path: Path, document: Document) -> list[str]:
    """Field names of the part in whose mapping the path ends."""
    around = get(document.data, path[:-1])
    owner: Any = ModelSpec
    if len(path) > 1 and isinstance(around, Mapping):
        for family in FAMILIES:
            if around.get(family.key) in family.registry and (family.key in ("block", path[-2]) or len(path) == 2):
                owner = family.registry[around[family.key]]
                break
        else:
            if path[0] == "head":
                owner = Head.registry["classifier"]
    return list(owner.model_fields)
