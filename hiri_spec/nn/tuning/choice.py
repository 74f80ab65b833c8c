"""Which way for each run: the fastest path through a chain of parts, changes of layout included. No torch in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..backbone import Backbone

Times = Mapping[str, float]
"""Milliseconds by the name of a way."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One place of the network, a run of `depth` equal blocks or a single part: milliseconds of one by way, and which.

    `entry_ms` is what it takes to bring the maps before it from each layout into the other, by the layout they get.
    """

    place: str
    depth: int
    times_ms: dict[str, float]
    entry_ms: dict[str, float]
    chosen: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"place": self.place, "depth": self.depth, "chosen": self.chosen, "times_ms": self.times_ms}


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """A model tuned for this machine, and how each of its places was chosen."""

    model: Backbone
    choices: tuple[Choice, ...]


def layout_of(way: str) -> str:
    """The layout in a way's name."""
    return way.split()[0]


def choose(depths: Sequence[int], times: Sequence[Times], entries: Sequence[Times]) -> list[str]:
    """The ways, one for each place of the chain, that take least in all.

    `entries` are the milliseconds of a change to each layout before each place. The first may start in any layout at
    that price but contiguous, as images come so.
    """
    best: dict[str, tuple[float, list[str]]] = {"contiguous": (0.0, [])}
    for depth, own, entry in zip(depths, times, entries, strict=True):
        following: dict[str, tuple[float, list[str]]] = {}
        for way, milliseconds in own.items():
            layout = layout_of(way)
            for before, (total, path) in best.items():
                spent = total + depth * milliseconds + (entry[layout] if before != layout else 0.0)
                if layout not in following or spent < following[layout][0]:
                    following[layout] = (spent, [*path, way])
        best = following
    return min(best.values())[1]
