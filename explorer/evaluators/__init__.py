"""Evaluators: a score for a network, the higher the better. One file each, found by scan.

A new one is one file in this folder, and nothing else: its name is what `--evaluator` takes. The file's docstring
begins with what the scores are called in tables and plots, a colon, and in one line what they tell and who says so:

    \"\"\"Depth score: the number of blocks, as no paper recommends.\"\"\"

and the file defines one class that is called as (spec, seed); its docstring says what departs from the paper. With
`QUICK = True` it is computed in the search's own process, others in one of their own, which may break. `SETTINGS =
{"data": True, "epochs": False}` are what its class is made with, by name, and whether it can't do without; each is an
option of the command. With `REPORTS = True` its call takes a third argument, `report`, a function that it calls with a
step and the score after it, and that ends the evaluation if that is hopeless. All that is read from the files' text,
so that `--help` and a mistake in a name need not import what computes the scores, torch above all.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem, show, suggest

from ..own_evaluator import FLAG, FORM, load_own

Evaluator = Callable[[ModelSpec, int], float]
"""Scores a network, the higher the better; the same spec and seed give the same score, whatever was done before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the file of an evaluator says about it: what its scores are called, what they tell, and if it is quick."""

    score_name: str
    description: str
    is_quick: bool = False
    settings: Mapping[str, bool] = field(default_factory=dict)
    """What it can be made with, and whether it must be."""
    reports: bool = False
    """Whether it tells on its way what the score is so far."""


def read_entry(file: Path) -> Entry:
    """Read the first line of a file's docstring; raises ValueError, for the file's author, where it isn't in form."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""
    score_name, colon, description = text.partition("\n")[0].partition(": ")
    if not colon or not score_name or not description:
        raise ValueError(f"{file.name} needs a docstring that begins with a name, a colon and what the score tells")
    constants = {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("QUICK", "SETTINGS", "REPORTS")
    }
    return Entry(
        score_name,
        description,
        constants.get("QUICK", False),
        constants.get("SETTINGS", {}),
        constants.get("REPORTS", False),
    )


EVALUATORS = {
    file.stem: read_entry(file) for file in sorted(Path(__file__).parent.glob("*.py")) if file.stem != "__init__"
}
UNTRAINED = tuple(name for name, entry in EVALUATORS.items() if not entry.settings)
"""Those that look at networks as they start."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """An evaluator that was asked for: its name as a study keeps it, what its scores are called, how to get it."""

    name: str
    score_name: str
    load: Callable[[], Evaluator]
    """Imports what computes the score, if that hasn't happened."""
    is_quick: bool = False
    """Whether a process of its own would cost more than the score."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What it is made with."""
    is_untrained: bool = False
    """Whether it is known to look at networks as they start."""
    reports: bool = False
    """Whether it tells on its way what the score is so far, by which it can be stopped."""

    @property
    def label(self) -> str:
        """Its name, and what it is made with."""
        return ":".join([self.name, *map(str, self.settings.values())])


def choose(name: object, settings: Mapping[str, Any] | None = None) -> Chosen:
    """Find an evaluator by its name, or the user's own by its place, before anything is written.

    `settings` are what it is made with; those that are None count as not given. Raises SpecError for an unknown name,
    for what is no evaluator at its place, and for settings that it doesn't take, or that are wrong or missing.
    """
    chosen = _find(name, settings or {})
    if chosen.settings:
        chosen.load()  # raises what is wrong with them
    return chosen


def load_evaluator(name: object, settings: Mapping[str, Any] | None = None) -> Evaluator:
    """Make an evaluator by its name or place; raises SpecError as `choose` does."""
    return _find(name, settings or {}).load()


def settings_taken(name: object, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some settings that an evaluator of the project takes."""
    entry = EVALUATORS.get(name) if isinstance(name, str) else None
    return {} if entry is None else {key: value for key, value in settings.items() if key in entry.settings}


def _find(name: object, settings: Mapping[str, Any]) -> Chosen:
    given = {key: value for key, value in settings.items() if value is not None}
    if isinstance(name, str) and ":" in name:
        own = load_own(name)
        _check_settings(own.name, {}, given)
        return Chosen(own.name, own.score_name, lambda: own.evaluate, reports=takes_reports(own.evaluate))
    if not isinstance(name, str) or name not in EVALUATORS:
        is_place = callable(name) or (isinstance(name, str) and "." in name)
        tail = f"for your own, {FORM}" if is_place else suggest(name, EVALUATORS)
        raise SpecError(Problem(f"unknown evaluator {show(name)}; {tail}", FLAG))
    entry = EVALUATORS[name]
    _check_settings(name, entry.settings, given)
    return Chosen(
        name,
        entry.score_name,
        partial(_make, name, given),
        is_quick=entry.is_quick,
        settings=given,
        is_untrained=name in UNTRAINED,
        reports=entry.reports,
    )


def takes_reports(evaluator: Callable[..., float]) -> bool:
    """Whether an evaluator wants a `report`, to be called with a step and the score after it."""
    try:
        return "report" in inspect.signature(evaluator).parameters
    except (TypeError, ValueError):  # built in, without a signature
        return False


def _check_settings(name: str, known: Mapping[str, bool], given: Mapping[str, Any]) -> None:
    for setting in given:
        if setting not in known:
            raise SpecError(Problem(f"{name} takes none; leave it out", f"--{setting}"))
    for setting, is_needed in known.items():
        if is_needed and setting not in given:
            raise SpecError(Problem(f"{name} needs it; give --{setting}", f"--{setting}"))


def _make(name: str, settings: Mapping[str, Any]) -> Evaluator:
    module = importlib.import_module(f"{__name__}.{name}")
    classes = [value for value in vars(module).values() if isinstance(value, type) and "__call__" in vars(value)]
    (found,) = [each for each in classes if each.__module__ == module.__name__]
    evaluator: Evaluator = found(**settings)
    return evaluator
