"""What a journal tells of a search: for each of its evaluators the networks that have a score, and those without."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from explorer.evaluators import EVALUATORS, UNTRAINED
from explorer.names import ARCHITECTURE, FAILURE, LATENCY, NETWORK, STOPPED, STUDY
from explorer.results import latency_of, macs_of, pareto_front

from .journal import Journal, Record, State, Study


@dataclass(frozen=True, slots=True)
class TriedPoint:
    """A network that has a score, the higher the better."""

    number: int
    score: float
    macs: int
    params: int
    seconds: float
    latency_ms: float | None
    sketch: str
    """In a few letters: HR2 HR2 C4 T9 T4."""
    on_front: bool = False

    @property
    def placement(self) -> tuple[str, ...]:
        """The blocks of each stage in letters, those of several runs with a plus between: HR, HR, C, C+T, T."""
        return tuple(re.sub(r"[0-9]+(?=\+|$)", "", stage) for stage in self.sketch.split())

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.sketch.split())


@dataclass(frozen=True, slots=True)
class Unscored:
    """A network without a score: it failed, or was stopped as it was not worth going on with."""

    number: int
    reason: str
    sketch: str
    macs: int
    params: int
    has_failed: bool


@dataclass(frozen=True, slots=True)
class Level:
    """What one evaluator has told; points by number, which stay those of the first level."""

    evaluator: str
    score_name: str
    is_untrained: bool
    settings: Mapping[str, Any]
    points: tuple[TriedPoint, ...] = ()
    unscored: tuple[Unscored, ...] = ()

    @property
    def front(self) -> tuple[TriedPoint, ...]:
        """The networks that no other beats in score at no more cost, cheapest first."""
        cost = latency_of if self.settings.get("objective") == "latency" else macs_of
        return tuple(sorted((point for point in self.points if point.on_front), key=lambda point: cost(point)))

    @property
    def best(self) -> TriedPoint | None:
        """The network with the highest score; None if none has one."""
        return max(self.points, key=lambda point: (point.score, -point.macs, -point.number), default=None)

    @property
    def finished(self) -> int:
        """Number of trials that are over, those that failed aside."""
        return len(self.points) + sum(not each.has_failed for each in self.unscored)


def find_study(journal: Journal, name: str) -> Study | None:
    """The last study of a name that is whole, of which a search in a space that has grown has several."""
    pattern = re.compile(rf"{re.escape(name)}( [0-9]+)?")
    named = [study for study in journal.studies.values() if pattern.fullmatch(study.name) and study.settings]
    return max(named, key=lambda study: (len(study.name), study.name), default=None)


def read_levels(journal: Journal) -> tuple[Level, ...]:
    """A level for each evaluator that has begun, the first one first; none while the study is not written.

    Raises SpecError for a trial that no search writes.
    """
    first = find_study(journal, STUDY)
    if first is None:
        return ()
    numbers = {name: record.number for record in first.records if (name := record.attributes.get(NETWORK))}
    levels = [_level(journal, first, {})]
    while study := find_study(journal, f"then {len(levels)}"):
        levels.append(_level(journal, study, numbers))
    return tuple(levels)


def _level(journal: Journal, study: Study, numbers: Mapping[Any, int]) -> Level:
    settings = study.settings or {}
    by_latency = settings.get("objective") == "latency"
    points, unscored = [], []
    for record in study.records:
        number = numbers.get(record.attributes.get(NETWORK), record.number)
        if record.state == State.COMPLETE:
            points.append(_point(journal, record, number))
        elif record.state in (State.FAIL, State.PRUNED):
            unscored.append(_unscored(record, number))
    front = {point.number for point in pareto_front(points, latency_of if by_latency else macs_of)}
    points = [_on_front(point) if point.number in front else point for point in points]
    evaluator = str(settings.get("evaluator", ""))
    entry = EVALUATORS.get(evaluator)
    return Level(
        evaluator,
        entry.score_name if entry else evaluator.rpartition(":")[2] or "score",
        evaluator in UNTRAINED,
        settings,
        tuple(sorted(points, key=lambda point: point.number)),
        tuple(sorted(unscored, key=lambda each: each.number)),
    )


def _point(journal: Journal, record: Record, number: int) -> TriedPoint:
    told = record.attributes
    macs, params, seconds, latency_ms = (told.get(name) for name in ("macs", "params", "seconds", LATENCY))
    if not record.values or not (_is_number(macs) and _is_number(params) and _is_number(seconds)):
        raise journal.damaged(record.line, "no trial of a search")
    latency = float(latency_ms) if _is_number(latency_ms) else None
    sketch = str(told.get(ARCHITECTURE, ""))
    return TriedPoint(number, record.values[0], int(macs), int(params), float(seconds), latency, sketch)


def _unscored(record: Record, number: int) -> Unscored:
    told, has_failed = record.attributes, record.state == State.FAIL
    macs, params = (int(told[name]) if _is_number(told.get(name)) else 0 for name in ("macs", "params"))
    reason, sketch = str(told.get(FAILURE if has_failed else STOPPED, "")), str(told.get(ARCHITECTURE, ""))
    return Unscored(number, reason, sketch, macs, params, has_failed)


def _on_front(point: TriedPoint) -> TriedPoint:
    facts = point.number, point.score, point.macs, point.params, point.seconds, point.latency_ms, point.sketch
    return TriedPoint(*facts, on_front=True)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
