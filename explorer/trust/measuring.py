"""Measuring what is missing in a table: every score of every network, and trainings, several at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem

from ..evaluation.here import Here
from ..evaluation.outcome import Outcome, Task
from ..evaluation.processes import Processes
from ..evaluators import Chosen
from .table import Measurement, TableFile

MOST_FAILURES = 5
"""Evaluations that fail one after the other before it is given up."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value that is missing: a measure of a network, with a seed."""

    network: str
    spec: ModelSpec
    seed: int


def list_wanted(
    table: TableFile, measure: str, networks: Mapping[str, ModelSpec], seeds: Mapping[str, int]
) -> list[Wanted]:
    """What a table lacks, by `seeds`, the number of seeds of each network: the first seed of all networks first."""
    most = max(seeds.values(), default=0)
    return [
        Wanted(name, spec, seed)
        for seed in range(most)
        for name, spec in networks.items()
        if seed < seeds[name] and not table.measurements.has(name, measure, seed)
    ]


def measure_all(
    chosen: Chosen,
    wanted: list[Wanted],
    table: TableFile,
    *,
    workers: int,
    timeout_s: float | None,
    measured: Callable[[Measurement], None],
    failed: Callable[[Wanted, str], None],
) -> None:
    """Measure, and write each value as soon as it is there.

    What fails is told and left out, to be tried by the next call; raises SpecError after MOST_FAILURES in a row.
    """
    in_row = 0
    for place, outcome in _outcomes(chosen, wanted, workers, timeout_s):
        if outcome.score is None:
            in_row += 1
            failed(place, outcome.failure)
            if in_row >= MOST_FAILURES:
                message = f"{in_row} evaluations in a row failed, the last one: {outcome.failure}; all before are kept"
                raise SpecError(Problem(message, chosen.name, code="evaluator"))
            continue
        in_row = 0
        row = Measurement(place.network, chosen.label, place.seed, outcome.score, round(outcome.seconds, 3))
        table.add(row)
        measured(row)


def go_on(number: int, step: int, value: float) -> bool:
    """Stop no training: what is measured here is measured to its end."""
    return False


def _outcomes(
    chosen: Chosen, wanted: list[Wanted], workers: int, timeout_s: float | None
) -> Iterator[tuple[Wanted, Outcome]]:
    """What came of each, in the order in which they end."""
    left = iter(enumerate(wanted))
    if chosen.is_quick:
        opened: Here | Processes = Here(chosen, go_on)
    else:
        opened = Processes(chosen, workers, timeout_s, report=go_on)
    with opened as evaluation:
        while True:
            while evaluation.is_free and (following := next(left, None)) is not None:
                number, place = following
                evaluation.submit(Task(number, place.spec, place.seed))
            if not evaluation.running:
                return
            outcome = evaluation.next()
            assert outcome is not None  # it waits as long as it takes
            yield wanted[outcome.number], outcome
