"""Evaluators: a score for a network, the higher the better. One file each, found by name."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem, show, suggest

from ..results import PARAMS


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an evaluator lives, to be loaded on use as most need torch, and what its scores are called."""

    place: str
    score_name: str


EVALUATORS = {
    "zico": Entry("explorer.evaluators.zico:ZiCo", "ZiCo score"),
    "naswot": Entry("explorer.evaluators.naswot:Naswot", "NASWOT score"),
    "params": Entry("explorer.evaluators.params:Params", PARAMS),
}


class Evaluator(Protocol):
    """Scores a network; the same spec and seed give the same score."""

    name: str

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """The score, higher is better."""
        ...


def check_known(name: str) -> None:
    """Refuse an unknown evaluator before anything is written; raises SpecError with the known ones."""
    if not isinstance(name, str) or name not in EVALUATORS:
        raise SpecError(Problem(f"unknown evaluator {show(name)}; {suggest(name, EVALUATORS)}", "--evaluator"))


def load_evaluator(name: str) -> Evaluator:
    """Make an evaluator by its name; raises SpecError with the known ones."""
    check_known(name)
    module, _, attribute = EVALUATORS[name].place.partition(":")
    evaluator: Evaluator = getattr(importlib.import_module(module), attribute)()
    return evaluator
