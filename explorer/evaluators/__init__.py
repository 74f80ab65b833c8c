"""Evaluators: a score for a network, the higher the better. One file each, found by scan.

A new one is one file in this folder, and nothing else: its name is what `--evaluator` takes. The file's docstring
begins with what the scores are called in tables and plots, a colon, and in one line what they tell and who says so:

    \"\"\"Depth score: the number of blocks, as no paper recommends.\"\"\"

and the file defines one class that is made without arguments and called as (spec, seed); its docstring says what
departs from the paper. With `QUICK = True` it is computed in the search's own process, others in one of their own,
which may break. Names and docstrings are read from the files' text, so that `--help` and a mistake in a name
need not import what computes the scores, torch above all.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

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


def read_entry(file: Path) -> Entry:
    """Read the first line of a file's docstring; raises ValueError, for the file's author, where it isn't in form."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""
    score_name, colon, description = text.partition("\n")[0].partition(": ")
    if not colon or not score_name or not description:
        raise ValueError(f"{file.name} needs a docstring that begins with a name, a colon and what the score tells")
    is_quick = any(
        isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["QUICK"]
        for node in tree.body
    )
    return Entry(score_name, description, is_quick)


EVALUATORS = {
    file.stem: read_entry(file) for file in sorted(Path(__file__).parent.glob("*.py")) if file.stem != "__init__"
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """An evaluator that was asked for: its name as a study keeps it, what its scores are called, how to get it."""

    name: str
    score_name: str
    load: Callable[[], Evaluator]
    """Imports what computes the score, if that hasn't happened."""
    is_quick: bool = False
    """Whether a process of its own would cost more than the score."""


def choose(name: object) -> Chosen:
    """Find an evaluator by its name, or the user's own by its place, before anything is written.

    Raises SpecError for an unknown name, and for what is no evaluator at its place.
    """
    if isinstance(name, str) and ":" in name:
        own = load_own(name)
        return Chosen(own.name, own.score_name, lambda: own.evaluate)
    if not isinstance(name, str) or name not in EVALUATORS:
        is_place = callable(name) or (isinstance(name, str) and "." in name)
        tail = f"for your own, {FORM}" if is_place else suggest(name, EVALUATORS)
        raise SpecError(Problem(f"unknown evaluator {show(name)}; {tail}", FLAG))
    return Chosen(name, EVALUATORS[name].score_name, partial(_make, name), EVALUATORS[name].is_quick)


def load_evaluator(name: object) -> Evaluator:
    """Make an evaluator by its name or place; raises SpecError as `choose` does."""
    return choose(name).load()


def _make(name: str) -> Evaluator:
    module = importlib.import_module(f"{__name__}.{name}")
    classes = [value for value in vars(module).values() if isinstance(value, type) and "__call__" in vars(value)]
    (found,) = [each for each in classes if each.__module__ == module.__name__]
    evaluator: Evaluator = found()
    return evaluator
