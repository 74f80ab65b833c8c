"""What networks a budget allows, by their costs alone: `--objective cost-only`, tens of thousands of them a second."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hiri_spec.locking import locked_folder
from hiri_spec.saving import replacing

from .budget import Budget, check_possible
from .enumeration import Costed, Enumeration
from .space import Space, network_hash, sketch

FILE = "costs.csv"
FACTS = ("macs", "params", "stages", "architecture")
PREFIX = "params_"
"""Before the names of parameters, as in trials.csv."""
TOLD_EVERY_S = 1.0


@dataclass(slots=True)
class Survey:
    """What was gone through, and what of it is within the budget."""

    out: Path
    is_whole: bool
    """Whether every network of the space was gone through; if not, they were drawn."""
    networks: int = 0
    """Networks in order that were costed, those that came twice counted twice."""
    draws: int = 0
    seconds: float = 0.0
    within: Counter[int] = field(default_factory=Counter)
    """Different networks within the budget, by the number of stages."""
    least_macs: int | None = None
    most_macs: int | None = None

    @property
    def rate(self) -> float:
        """Candidates a second, those written included."""
        return self.draws / max(self.seconds, 1e-9)

    def as_data(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "out": str(self.out / FILE),
            "is_whole": self.is_whole,
            "draws": self.draws,
            "networks": self.networks,
            "candidates_per_s": round(self.rate),
            "within": {str(stages): number for stages, number in sorted(self.within.items())},
            "least_macs": self.least_macs,
            "most_macs": self.most_macs,
        }


def survey(
    space: Space, budget: Budget, draws: int, seed: int, out: Path, told: Callable[[Survey], None] = lambda survey: None
) -> Survey:
    """Cost every network of a space of at most `draws`, or draw so many, and write those within the budget.

    Raises SpecError for a budget that no network meets, and for a folder that can't be written.
    """
    check_possible(space, budget)
    found = Survey(out, is_whole=space.size <= draws)
    enumeration = Enumeration(space, seed)
    candidates = enumeration.every() if found.is_whole else enumeration.draw(draws)
    with (
        locked_folder(out, "search"),
        replacing(out / FILE) as file,
        file.open("w", encoding="utf-8", newline="") as stream,
    ):
        rows = csv.DictWriter(stream, [*FACTS, *(PREFIX + name for name in space.parameters)], lineterminator="\n")
        rows.writeheader()
        seen: set[str] = set()
        began = last = time.perf_counter()
        for candidate in candidates:
            found.networks += 1
            macs = candidate.macs
            if found.least_macs is None or found.most_macs is None:
                found.least_macs = found.most_macs = macs
            found.least_macs, found.most_macs = min(found.least_macs, macs), max(found.most_macs, macs)
            if budget.is_met(macs, candidate.params):
                row = _row(space, candidate, seen)
                if row is not None:
                    found.within[row["stages"]] += 1
                    rows.writerow(row)
            if not found.networks % 1000 and time.perf_counter() - last > TOLD_EVERY_S:
                last = time.perf_counter()
                found.seconds, found.draws = last - began, enumeration.looked_at
                told(found)
        found.seconds, found.draws = time.perf_counter() - began, enumeration.looked_at
    return found


def _row(space: Space, candidate: Costed, seen: set[str]) -> Mapping[str, Any] | None:
    """A network's line, or None for one that was there before."""
    assignment = candidate.assignment
    spec = space.spec(dict.fromkeys(space.parameters, 0) | assignment)
    if spec is None:
        return None
    name = network_hash(spec)
    if name in seen:
        return None
    seen.add(name)
    facts = {
        "macs": candidate.macs,
        "params": candidate.params,
        "stages": len(spec.stages),
        "architecture": sketch(spec),
    }
    return facts | {PREFIX + key: value for key, value in space.decode(assignment).items()}
