"""What a search finds: the networks it tried, and those that no other beats."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hiri_spec import ModelSpec, SpecError

from .space import sketch

GMACS, PARAMS = "GMACs", "params M"
"""What costs are called in tables, where they are the score as well as where they are not."""


@dataclass(frozen=True, slots=True)
class Member:
    """One network that was tried."""

    number: int
    spec: ModelSpec
    score: float
    macs: int
    params: int
    seconds: float
    values: dict[str, Any]
    latency_ms: float | None = None

    @property
    def sketch(self) -> str:
        """The network in a few letters."""
        return sketch(self.spec)


@dataclass(frozen=True, slots=True)
class Stopped:
    """A trial that was not worth going on with, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A trial without a score: why, and where its network lies."""

    number: int
    reason: str
    file: Path


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found: every network tried, those of the Pareto front, and the best by score."""

    trials: tuple[Member, ...]
    front: tuple[Member, ...]
    out: Path
    score_name: str
    settings: Mapping[str, Any]
    was_interrupted: bool = False
    ending: str = ""
    """Why there are fewer trials than were asked for, or not all files; empty if nothing is amiss."""
    stopped: tuple[Stopped, ...] = ()
    """Trials that were not worth going on with."""
    is_untrained: bool = True
    """Whether the score is known to be of networks that were not trained."""

    @property
    def is_by_cost(self) -> bool:
        """Whether the score is one of the costs, and needn't be told twice."""
        return self.score_name in (GMACS, PARAMS)

    @property
    def best(self) -> Member:
        """The network with the highest score; raises SpecError if none was evaluated."""
        if not self.trials:
            raise SpecError("no network has been evaluated yet")
        return max(self.trials, key=lambda member: (member.score, -member.macs, -member.number))


def macs_of(member: Member) -> float:
    """What a network costs, where nothing else is asked for."""
    return member.macs


def latency_of(member: Member) -> float:
    """Milliseconds of one image; infinite for a network that was not timed."""
    return math.inf if member.latency_ms is None else member.latency_ms


def pareto_front(members: Sequence[Member], cost: Callable[[Member], float] = macs_of) -> tuple[Member, ...]:
    """The networks that no other beats in score at no more cost, cheapest first."""
    front: list[Member] = []
    for member in sorted(members, key=lambda member: (cost(member), -member.score, member.number)):
        if not front or member.score > front[-1].score:
            front.append(member)
    return tuple(front)
