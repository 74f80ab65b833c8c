"""Chains of evaluators: many networks by a cheap score, the best of them by a dearer one, and so on, in one study."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hiri_spec import SpecError
from hiri_spec.errors import Problem, show

from .evaluators import Chosen, choose, settings_taken
from .results import Member, pareto_front

FLAG = "--then"
FORM = "write COUNT:EVALUATOR, and what it is set to, like 20:train,epochs=5"


@dataclass(frozen=True, slots=True)
class Level:
    """A further evaluator, and how many networks it gets: the best of the level before."""

    count: int
    chosen: Chosen
    pruner: str | None = None
    """What stops its hopeless evaluations, where it tells how they go."""


def read_chain(texts: Sequence[str], settings: Mapping[str, Any]) -> list[Level]:
    """Read levels like "200:zico" and "20:train,epochs=5"; what they leave open is set as in `settings`.

    Raises SpecError for what isn't in form, evaluators that can't be used, and levels that don't narrow down.
    """
    levels: list[Level] = []
    for text in texts:
        match = (
            re.fullmatch(r"\s*([0-9]{1,9})\s*:\s*([^,]+?)\s*((?:,[^,=]+=[^,]*)*)", text)
            if isinstance(text, str)
            else None
        )
        if match is None or not int(match[1]):
            raise SpecError(Problem(f"{show(text)} is no further level; {FORM}", FLAG))
        own = dict(part.split("=", 1) for part in match[3].split(",") if part)
        count, name = int(match[1]), match[2]
        if levels and count > levels[-1].count:
            message = f"{text} wants more networks than the level before it has; let the numbers fall"
            raise SpecError(Problem(message, FLAG))
        own_settings = {key: _number_or_text(value) for key, value in own.items()}
        levels.append(Level(count, _choose(text, name, settings_taken(name, settings) | own_settings)))
    return levels


def _choose(text: str, name: str, settings: Mapping[str, Any]) -> Chosen:
    """The evaluator of a level, whose mistakes are told as its own."""
    try:
        return choose(name, settings)
    except SpecError as error:
        raise SpecError(Problem(f"{text}: {problem}", FLAG, code=problem.code) for problem in error.problems) from None


def _number_or_text(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def rank(members: Sequence[Member], cost: Callable[[Member], float] | None) -> list[Member]:
    """The best first: by score, or where a cost counts too by one Pareto front after the other, each by score."""
    if cost is None:
        return sorted(members, key=lambda member: (-member.score, member.number))
    ranked: list[Member] = []
    left = list(members)
    while left:
        front = pareto_front(left, cost)
        ranked += sorted(front, key=lambda member: (-member.score, member.number))
        gone = {member.number for member in front}
        left = [member for member in left if member.number not in gone]
    return ranked


def level_seed(seed: int, level: int) -> int:
    """The seed of a level, which its evaluations' seeds derive from."""
    return zlib.crc32(f"level {seed} {level}".encode())
