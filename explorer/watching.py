"""What a search tells while it goes, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .budget import Budget, Feasibility
from .results import Failed, Member, SearchResult
from .space import Space


@dataclass(frozen=True, slots=True)
class Started:
    """What is known before the first trial."""

    space: Space
    budget: Budget
    feasibility: Feasibility
    resolution: tuple[int, int]
    out: Path
    trials: int
    finished: tuple[Member, ...]
    """Those of earlier runs."""
    dropped_bytes: int
    stopped: int = 0
    """How many of earlier runs were not worth going on with, which count among the trials."""


class Watcher:
    """Told how a search goes; this one says nothing."""

    def opened(self, space: Space) -> None:
        """The space is read; what it allows is being found out."""

    def started(self, start: Started) -> None:
        """The study is open."""

    def tried(self, member: Member, best: Member) -> None:
        """A trial is finished."""

    def halted(self, stopped: Failed) -> None:
        """A trial was not worth going on with, and counts as one."""

    def failed(self, failed: Failed) -> None:
        """A trial has no score; the search goes on."""

    def narrowed(self, evaluator: str, networks: int, finished: int) -> None:
        """The best so many networks are evaluated further, by another evaluator; some of them were before."""

    def noted(self, message: str) -> None:
        """Something that whoever looks on may want to know: that others are waited for, or a database."""

    def ended(self, result: SearchResult) -> None:
        """No more is tried; the files are being written. Whatever goes wrong from here on, this is what was found."""
