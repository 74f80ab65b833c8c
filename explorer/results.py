"""What a search finds: the networks it tried, and those that no other beats."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from hiri_spec import ModelSpec, SpecError

from .choices import Parameter
from .space import sketch

if TYPE_CHECKING:
    from pandas import DataFrame

    from .budget import Feasibility

GMACS, PARAMS = "GMACs", "params M"
"""What costs are called in tables, where they are the score as well as where they are not."""


class Tried(Protocol):
    """What is known of a network that has a score, by which it is held against others."""

    @property
    def number(self) -> int: ...
    @property
    def score(self) -> float: ...
    @property
    def macs(self) -> int: ...
    @property
    def latency_ms(self) -> float | None: ...


AnyTried = TypeVar("AnyTried", bound=Tried)


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

    @property
    def file_name(self) -> str:
        """What its file is called in the folder of the front."""
        return f"trial_{self.number:05d}.yaml"


@dataclass(frozen=True, slots=True)
class Failed:
    """A trial without a score: why, and where its network lies if it was written apart."""

    number: int
    reason: str
    file: Path | None
    spec: ModelSpec
    macs: int
    params: int
    values: dict[str, Any]
    state: str = "failed"
    """Or `stopped`, if it was not worth going on with."""

    @property
    def sketch(self) -> str:
        """The network in a few letters."""
        return sketch(self.spec)


@dataclass(frozen=True)
class SearchResult:
    """What a search found: every network tried, those of the Pareto front, and the best by score."""

    members: tuple[Member, ...]
    """The finished trials, by number."""
    front: tuple[Member, ...]
    out: Path
    score_name: str
    settings: Mapping[str, Any]
    failed: tuple[Failed, ...] = ()
    """The trials without a score, by number; those of runs before this one too."""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    """What varies in the space, by name."""
    feasibility: Feasibility | None = None
    command: str = ""
    """The line that runs the same search again, or goes on with it."""
    was_interrupted: bool = False
    ending: str = ""
    """Why there are fewer trials than were asked for, or not all files; empty if nothing is amiss."""
    stopped: tuple[Failed, ...] = ()
    """The trials that were not worth going on with, by number."""
    earlier: tuple[SearchResult, ...] = ()
    """What was found by the evaluators before, of which this one got the best; the first comes first."""
    is_untrained: bool = True
    """Whether the score is known to be of networks that were not trained."""

    @property
    def is_by_cost(self) -> bool:
        """Whether the score is one of the costs, and needn't be told twice."""
        return self.score_name in (GMACS, PARAMS)

    @property
    def is_by_latency(self) -> bool:
        """Whether the front is of scores and milliseconds, not MACs."""
        return self.settings.get("objective") == "latency"

    @property
    def best(self) -> Member:
        """The network with the highest score; raises SpecError if none was evaluated."""
        if not self.members:
            raise SpecError("no network has been evaluated yet")
        return max(self.members, key=lambda member: (member.score, -member.macs, -member.number))

    @cached_property
    def trials(self) -> DataFrame:
        """Every trial, one row each by number, those without a score too; see `explorer.trials_frame` for the columns.

        It is made once: take a copy before you change it.
        """
        from .trials_frame import trials_frame

        return trials_frame(self)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the page that shows it all, by default as report.html in `out`; returns where it is.

        The page is one file that needs no network. Raises SpecError for a place that can't be written.
        """
        from .report_page import write_page

        return write_page(self, self.out / "report.html" if path is None else Path(path))


FAR = 1.5
"""How many times slower or faster than its MACs suggest a network is to be for that to be told."""


def find_misleading_macs(members: Sequence[Member]) -> dict[int, float]:
    """Networks whose time is far from what their MACs suggest, by number: how many times as slow as is usual.

    Usual is the median time a MAC over all that were timed, so that of fewer than three nothing can be said.
    """
    per_mac = {each.number: each.latency_ms / each.macs for each in members if each.latency_ms is not None}
    if len(per_mac) < 3:
        return {}
    usual = statistics.median(per_mac.values())
    return {number: time / usual for number, time in per_mac.items() if not usual / FAR < time < usual * FAR}


def macs_of(member: Tried) -> float:
    """What a network costs, where nothing else is asked for."""
    return member.macs


def latency_of(member: Tried) -> float:
    """Milliseconds of one image; infinite for a network that was not timed."""
    return math.inf if member.latency_ms is None else member.latency_ms


def pareto_front(members: Sequence[AnyTried], cost: Callable[[AnyTried], float] = macs_of) -> tuple[AnyTried, ...]:
    """The networks that no other beats in score at no more cost, cheapest first."""
    front: list[AnyTried] = []
    for member in sorted(members, key=lambda member: (cost(member), -member.score, member.number)):
        if not front or member.score > front[-1].score:
            front.append(member)
    return tuple(front)
