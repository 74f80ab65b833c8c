"""A search under way: its study opened, networks evaluated until there are enough, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hiri_spec import SpecError

from .arguments import size_of
from .budget import Candidate, Feasibility, measure_feasibility
from .chain import Level, level_seed, rank
from .interrupts import surfaced
from .quest import How, Quest
from .results import Failed, Member, SearchResult, latency_of, macs_of, pareto_front
from .space import Space, network_hash
from .watching import Started, Watcher

if TYPE_CHECKING:
    from .pursuit import Pursuit
    from .roles import Study
    from .samplers.budgeted import BudgetedSampler

    Keep = Callable[[BudgetedSampler], Study]


@dataclass(slots=True)
class _Ended:
    """How the loop came to its end."""

    was_interrupted: bool = False
    ending: str = ""
    failure: Exception | None = None


def run(
    quest: Quest, keep: Keep, out: Path, trials: int, how: How, levels: Sequence[Level], watcher: Watcher
) -> tuple[SearchResult, Exception | None]:
    """What was found, and the error that ended the search early, if one did."""
    sampler = quest.sampler()
    study = keep(sampler)
    pursuit = quest.pursue(study, sampler, how, tried=watcher.tried, halted=watcher.halted, failed=watcher.failed)
    feasibility = measure_feasibility(quest.space, quest.budget, quest.seed)
    watcher.started(
        Started(
            quest.space,
            quest.budget,
            feasibility,
            size_of(quest.space),
            out,
            trials,
            tuple(pursuit.members),
            study.dropped_bytes,
            len(pursuit.stopped),
        )
    )
    ended = _Ended()
    if pursuit.finished < trials:  # a finished search is told again without loading torch
        ended = _go_on(pursuit, study, quest, how, trials)
    if _is_exhausted(ended.failure) and pursuit.members:
        assert isinstance(ended.failure, SpecError)
        ended = _Ended(ending=ended.failure.problems[0].message)
    found = _result(quest, pursuit, out, feasibility, ended)
    failure = ended.failure
    for number, level in enumerate(levels, 1):
        if failure is not None or found.was_interrupted or not found.members:
            break
        found, failure = _narrow(quest, found, number, level, out, how, watcher)
    return found, failure


def _go_on(pursuit: Pursuit, study: Study, quest: Quest, how: How, trials: int) -> _Ended:
    try:
        with surfaced(), study, quest.evaluation(how, pursuit) as evaluation:
            pursuit.go_on(evaluation, trials)
    except KeyboardInterrupt:
        return _Ended(was_interrupted=True)
    except Exception as error:
        # whoever's mistake it is: what was found before it is written all the same
        return _Ended(failure=error)
    return _Ended()


def _is_exhausted(error: Exception | None) -> bool:
    return isinstance(error, SpecError) and error.problems[0].code == "exhausted"


def _result(quest: Quest, pursuit: Pursuit, out: Path, feasibility: Feasibility | None, ended: _Ended) -> SearchResult:
    members = tuple(sorted(pursuit.members, key=_number))
    is_by_latency = quest.settings["objective"] == "latency"
    return SearchResult(
        members,
        pareto_front(members, latency_of if is_by_latency else macs_of),
        out,
        quest.chosen.score_name,
        quest.settings,
        tuple(sorted(pursuit.failures, key=_number)),
        quest.space.parameters,
        feasibility,
        was_interrupted=ended.was_interrupted,
        ending=ended.ending,
        stopped=tuple(sorted(pursuit.stopped, key=_number)),
        is_untrained=quest.chosen.is_untrained,
    )


def _number(trial: Member | Failed) -> int:
    return trial.number


def _narrow(
    quest: Quest, before: SearchResult, number: int, level: Level, out: Path, how: How, watcher: Watcher
) -> tuple[SearchResult, Exception | None]:
    """Evaluate the best of what was found by a further evaluator; the numbers of trials stay those they were."""
    from .samplers.promoting import PromotingSampler
    from .study import SearchStudy, directions_of

    settings = {
        **quest.settings,
        "evaluator": level.chosen.name,
        **level.chosen.settings,
        "pruner": level.pruner,
        "seed": level_seed(quest.seed, number),
    }
    inner = replace(quest, chosen=level.chosen, settings=settings)
    is_by_latency = quest.settings["objective"] == "latency"
    best = rank(before.members, latency_of if is_by_latency else None)[: level.count]
    numbers = {network_hash(member.spec): member.number for member in before.members}
    sampler = PromotingSampler(quest.space, [_candidate(quest.space, member) for member in best])
    name = f"then {number}"
    study = SearchStudy(out, settings, sampler, directions_of(settings["objective"]), name=name)
    pursuit = inner.pursue(
        study,
        sampler,
        how,
        tried=watcher.tried,
        halted=watcher.halted,
        failed=watcher.failed,
        number_of=lambda spec, number: numbers[network_hash(spec)],
    )
    watcher.narrowed(level.chosen.label, len(best), pursuit.finished)
    ended = _Ended()
    if sampler.has_more or study.interrupted:
        ended = _go_on(pursuit, study, inner, how, pursuit.finished + len(best))
        if _is_exhausted(ended.failure):
            ended.failure = None
    found = _result(inner, pursuit, out, before.feasibility, ended)
    return (
        replace(
            found,
            failed=before.failed + found.failed,
            stopped=before.stopped + found.stopped,
            settings={**before.settings, name: f"{level.count}:{level.chosen.label}"},
            earlier=(*before.earlier, before),
        ),
        ended.failure,
    )


def _candidate(space: Space, member: Member) -> Candidate:
    # what has no say in the network may be anything
    assignment = dict.fromkeys(space.parameters, 0) | space.encode(member.values)
    return Candidate(assignment, member.spec, member.macs, member.params)
