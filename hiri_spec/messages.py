"""Validation, with Pydantic's errors turned into Problems: file, line, path, the actual value and how to fix it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from .block import Block, Downsample, Head, Part, Stem
from .document import Document, Origin, get
from .errors import Path, Problem, SpecError, format_path, show, suggest
from .schema import ModelSpec

ModelType = TypeVar("ModelType", bound=BaseModel)
MAX_TOLD = 200
"""Mistakes told at once."""
FAMILIES: dict[str, type[Part]] = {family.key: family for family in (Block, Stem, Downsample, Head)}


def validate(document: Document) -> ModelSpec:
    """Plain data → ModelSpec; raises SpecError that points into the document."""
    return validate_as(ModelSpec, document, "spec", "name, stem and stages")


def validate_as(model: type[ModelType], document: Document, noun: str, fields: str) -> ModelType:
    """Plain data → a model; raises SpecError that points into the document. `fields` are those to begin with."""
    if not isinstance(document.data, Mapping):
        what = "nothing is written here" if document.data is None else f"{show(document.data)} is no {noun}"
        raise document.error((), f"{what}; write a mapping with {fields}", "not_a_mapping")
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise explain(error, document, model, noun) from None


def explain(
    error: ValidationError, document: Document, model: type[BaseModel] = ModelSpec, noun: str = "spec"
) -> SpecError:
    """Turn a validation error into a SpecError that points into the document."""
    problems: dict[str, Problem] = {}
    details = error.errors(include_url=False)
    for detail in details[:MAX_TOLD]:
        path = _written_path(detail["loc"], document.data)
        value = detail["input"]
        if isinstance(value, Mapping) and value.keys() & {"choice", "range"}:
            path = path[:-1] if get(document.data, path[:-1]) is value else path
            message = "a choice or a range belongs in a search space, for python -m explorer.search; write one value"
        else:
            message = _sentence(dict(detail), path, document, model, noun)
        origin = _culprit(path, detail.get("ctx", {}).get("beside"), document)
        problem = Problem(message, format_path(path), origin.file, origin.line, detail["type"])
        problems.setdefault(problem.path, problem)
    if len(details) > MAX_TOLD:
        rest = f"{len(details) - MAX_TOLD:,} mistakes more are not listed; mend those above first"
        problems[""] = document.problem((), rest, "too_many")
    return SpecError(problems.values())


def _culprit(path: Path, beside: str | None, document: Document) -> Origin:
    """Where a value was written, or the one beside it that it doesn't go with: whichever was given last.

    A spec that this one extends comes first, then its own file, then the command line.
    """
    paths = [path, (*path[:-1], beside)] if beside else [path]
    origins = [document.origin(each) for each in paths]
    return max(origins, key=lambda origin: 2 if origin.file.startswith("--") else origin.file == document.file)


def _written_path(loc: Iterable[str | int], data: Any) -> Path:
    """Drop what validation put into the location and the file does not have, e.g. run 0 of a one-run stage."""
    path: list[str | int] = []
    for part in loc:
        here = get(data, tuple(path))
        if isinstance(here, Mapping) if isinstance(part, str) else isinstance(here, list | tuple):
            path.append(part)
    return tuple(path)


def _sentence(detail: dict[str, Any], path: Path, document: Document, model: type[BaseModel], noun: str) -> str:
    kind, context, shown = detail["type"], detail.get("ctx", {}), show(detail["input"])
    if "message" in context:
        return str(context["message"])
    if kind == "missing":
        return _missing(str(detail["loc"][-1]), path, document)
    if kind == "extra_forbidden":
        kind, part = _part_around(path, document) if model is ModelSpec else _model_around(path, model, noun)
        return f"{kind} has no field {show(path[-1])}; {suggest(path[-1], part.model_fields)}"
    if kind in ("int_type", "int_from_float"):
        if isinstance(detail["input"], float):
            near = sorted({max(1, int(detail["input"])), max(1, -int(-detail["input"] // 1))})
            return f"{shown} is not a whole number; use {' or '.join(map(str, near))}"
        return f"{shown} is not a whole number; write it in digits, without quotes"
    if kind == "bool_type":
        return f"{shown} is neither true nor false; write one of them, without quotes"
    if kind == "float_type":
        return f"{shown} is not a number; write it in digits, without quotes"
    if kind in ("greater_than", "greater_than_equal"):
        limit = f"more than {context['gt']:g}" if "gt" in context else f"{context['ge']:g} or more"
        return f"{shown} is too small; use {limit}"
    if kind in ("less_than", "less_than_equal"):
        limit = f"less than {context['lt']:g}" if "lt" in context else f"{context['le']:g} or less"
        return f"{shown} is too large; use {limit}"
    if kind == "literal_error":
        return f"{shown} is not known here; use {context['expected']}"
    if kind == "string_pattern_mismatch":
        usable = "lower-case letters, digits and underscores, a letter first"
        if len(path) == 1:  # the network's own; that of a run becomes an attribute
            usable = "letters, digits, dots, hyphens and underscores, a letter or a digit first"
        return f"{shown} is not a usable name; use {usable}"
    if kind == "invalid_key":
        return f"the key {show(detail['loc'][-1])} is not text; name a field"
    if kind == "string_too_long":
        return f"{shown} is longer than {context['max_length']} characters; shorten it"
    if kind == "string_type":
        return f"{shown} is not text; put it in quotes"
    if kind == "too_short":
        return "this list is empty; give it at least one item"
    if kind in ("tuple_type", "list_type"):
        return f"{shown} is not a list; write [ … ] or one `- …` a line"
    if kind == "model_type":
        key = context["class_name"].lower()
        if key not in FAMILIES:
            return f"{shown} is no mapping of fields; write them like {{field: value, …}}"
        return f"{shown} is no {key}; write a mapping like {{{key}: {next(iter(FAMILIES[key].registry))}, …}}"
    return str(detail["msg"])


def _missing(field: str, path: Path, document: Document) -> str:
    written = get(document.data, path)
    if isinstance(written, str) and path[-1] in FAMILIES:
        return f"{path[-1]} {written} needs a {field}; write {{{path[-1]}: {written}, {field}: …}}"
    return f"{field} is missing; add `{field}: …`"


def _part_around(path: Path, document: Document) -> tuple[str, Any]:
    """The part in whose mapping a path ends: what to call it, and its class."""
    if len(path) == 1:
        return "a spec", ModelSpec
    key = str(path[-2]) if path[-2] in FAMILIES else "block"
    name = get(document.data, (*path[:-1], key))
    registry = FAMILIES[key].registry
    return f"{key} {name or ''}".strip(), registry.get(name, next(iter(registry.values())))


def _model_around(path: Path, model: type[BaseModel], noun: str) -> tuple[str, type[BaseModel]]:
    """The model in whose mapping a path ends, of models that lie in fields of one another."""
    title = f"a {noun}"
    for part in path[:-1]:
        annotation = model.model_fields[str(part)].annotation
        candidates = [annotation, *get_args(annotation)]
        model = next(each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel))
        title = str(part)
    return title, model
