"""Evaluators: a score for a network, the higher the better. One file each, found by name."""

from __future__ import annotations

import importlib
from typing import Protocol

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem, suggest

EVALUATORS = {
    "naswot": "explorer.evaluators.naswot:Naswot",
    "params": "explorer.evaluators.params:Params",
}
"""Where each evaluator lives; loaded on use, as most need torch."""


class Evaluator(Protocol):
    """Scores a network; the same spec and seed give the same score."""

    name: str
    score_name: str

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """The score, higher is better."""
        ...


def load_evaluator(name: str) -> Evaluator:
    """Make an evaluator by its name; raises SpecError with the known ones."""
    if name not in EVALUATORS:
        raise SpecError(Problem(f"unknown evaluator {name!r}; {suggest(name, EVALUATORS)}", "--evaluator"))
    module, _, attribute = EVALUATORS[name].partition(":")
    evaluator: Evaluator = getattr(importlib.import_module(module), attribute)()
    return evaluator
