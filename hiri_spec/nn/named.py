"""What a name on a command line stands for: one of our specs, or one of timm's models."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import timm

from ..errors import Problem, SpecError, show, suggest
from ..files import builtin_specs, find, load
from ..schema import ModelSpec

TIMM_PREFIX = "timm:"


@dataclass(frozen=True, slots=True)
class Named:
    """A spec, or a name of timm's; `note` is what the user should know of the choice between the two."""

    origin: ModelSpec | str
    note: str | None = None


def read_named(name: str, *, set: Mapping[str, Any] | None = None) -> Named:
    """The spec or the timm model of a name; `timm:` before it means timm's where both have it.

    `set` changes values of a spec by dotted path. Raises SpecError for a name that nothing has, for a wrong spec, and
    for changes to one of timm's models.
    """
    if name.startswith(TIMM_PREFIX):
        return _timm_model(name.removeprefix(TIMM_PREFIX), set)
    is_builtin = name in builtin_specs()
    if is_builtin or Path(name).is_file() or Path(name).suffix in (".yaml", ".yml") or len(Path(name).parts) > 1:
        note = None
        if is_builtin and _is_timms_own(name):
            note = f"{name} is a spec and a timm model; the spec is built ({TIMM_PREFIX}{name} is timm's)"
        return Named(load(name, set=set), note)
    if timm.is_model(name):
        return _timm_model(name, set)
    try:
        find(name)
    except SpecError as error:
        hint = suggest_model(name, [*builtin_specs(), *timm.list_models()])
        message = f"{show(name)} is no file, no built-in spec and no timm model; {hint}"
        raise SpecError(replace(error.problems[0], message=message)) from None
    return Named(load(name, set=set))  # a folder: loading it says so


def _timm_model(name: str, changes: Mapping[str, Any] | None) -> Named:
    if not timm.is_model(name):
        raise SpecError(
            Problem(f"timm has no model {show(name)}; {suggest_model(name, timm.list_models())}", code="no_model")
        )
    if changes:
        message = f"{next(iter(changes))} is of a spec, and {name} is a timm model; leave it out"
        raise SpecError(Problem(message, "--set"))
    return Named(name)


def _is_timms_own(name: str) -> bool:
    """Whether timm has a model of that name that `hiri_spec.register` did not put there."""
    return timm.is_model(name) and str(timm.model_entrypoint(name).__module__).startswith("timm.")


def suggest_model(name: str, known: Iterable[str]) -> str:
    """The nearest names; timm has too many for a list of them all."""
    known = frozenset(known)
    if difflib.get_close_matches(name, known, n=1, cutoff=0.5):
        return suggest(name, known)
    return "`hiri-spec list` shows the specs, timm.list_models() timm's models"
