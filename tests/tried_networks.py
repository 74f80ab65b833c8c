"""Networks that a search has tried, made up, and the options of the charts that show them."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

Options = dict[str, Any]


@dataclass(frozen=True)
class Network:
    """What a search tells of a network."""

    number: int
    score: float
    macs: int
    sketch: str
    params: int = 30_000_000
    latency_ms: float | None = None
    on_front: bool = False

    @property
    def stages(self) -> int:
        return len(self.sketch.split())

    @property
    def placement(self) -> tuple[str, ...]:
        return tuple("".join(letter for letter in self.sketch if not letter.isdigit()).split())


def networks(count: int = 60, seed: int = 1) -> list[Network]:
    """Networks of four to six stages, with a front."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        letters = sorted(draw.choices(["HR", "C", "T"], k=draw.choice((4, 5, 6))), key=["HR", "C", "T"].index)
        sketch = " ".join(f"{letter}{draw.randint(1, 18)}" for letter in letters)
        found.append(Network(number, draw.uniform(100, 300), draw.randint(3 * 10**9, 5 * 10**9), sketch))
    best = 0.0
    front = set()
    for network in sorted(found, key=lambda each: each.macs):
        if network.score > best:
            best = network.score
            front.add(network.number)
    return [replace(network, on_front=network.number in front) for network in found]


def named(options: Options, name: str) -> Options:
    return next(series for series in options["series"] if series["name"] == name)
