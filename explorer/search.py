"""The search for a network under a budget: `python -m explorer.search --budget 5gflops`, or `explorer.search(…)`."""

from __future__ import annotations

if __name__ == "__main__":
    # before anything slow is imported, and never past this line: the command imports this module by its name
    from .entry import start

    start("explorer.command")

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hiri_spec import SpecError, __version__
from hiri_spec.locking import locked_folder
from hiri_spec.quantities import format_resolution, parse_macs, parse_params, parse_seconds

from .arguments import (
    default_folder,
    read_changes,
    read_objective,
    read_place,
    read_seed,
    read_size,
    read_stages,
    read_trials,
    read_workers,
    size_of,
)
from .budget import Budget, Feasibility, check_possible, measure_feasibility
from .interrupts import ended_by_sigterm
from .results import Failed, Member, SearchResult, pareto_front
from .shared.sharing import read_sharing
from .space import Space, load_space

if TYPE_CHECKING:
    from .evaluators import Chosen
    from .samplers.budgeted import BudgetedSampler
    from .shared.shared_study import SharedStudy
    from .study import SearchStudy

    Keep = Callable[[BudgetedSampler], SearchStudy | SharedStudy]

DEFAULT_TRIALS = 300


@dataclass(frozen=True, slots=True)
class Started:
    """What is known before the first trial."""

    space: Space
    budget: Budget
    feasibility: Feasibility
    resolution: tuple[int, int]
    out: Path
    trials: int
    finished: int
    dropped_bytes: int


@dataclass(frozen=True, slots=True)
class How:
    """How networks are evaluated, which has no say in what is found: how many at once, and what one may take."""

    workers: int = 1
    timeout_s: float | None = None


class Watcher:
    """Told how a search goes; this one says nothing."""

    def opened(self, space: Space) -> None:
        """The space is read; what it allows is being found out."""

    def started(self, start: Started) -> None:
        """The study is open."""

    def tried(self, member: Member, best: Member) -> None:
        """A trial is finished."""

    def failed(self, failed: Failed) -> None:
        """A trial has no score; the search goes on."""

    def noted(self, message: str) -> None:
        """Something that whoever looks on may want to know: that others are waited for, or a database."""

    def ended(self, result: SearchResult) -> None:
        """No more is tried; the files are being written. Whatever goes wrong from here on, this is what was found."""


def search(
    budget: str | float,
    *,
    resolution: int | tuple[int, int] | str | None = None,
    stages: int | str | Sequence[int] | None = None,
    trials: int = DEFAULT_TRIALS,
    space: str | Path | None = None,
    max_params: str | float | None = None,
    objective: str = "pareto",
    evaluator: str = "zico",
    set: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    data: str | None = None,
    epochs: int | None = None,
    recipe: str | None = None,
    workers: int = 1,
    trial_timeout: str | float | None = None,
    storage: str | None = None,
    study: str | None = None,
    heartbeat: str | float | None = None,
    watcher: Watcher | None = None,
) -> SearchResult:
    """Search a space for networks within a budget ("5gflops", "5gmacs", 5e9), as the command does, and write the same.

    `trials` is the number in all: called again, a search goes on to it. `data`, `epochs` and `recipe` are for the
    evaluator "train". `workers` networks are evaluated at the same time; an evaluation that takes longer than
    `trial_timeout` ("90s", "5m", or seconds) fails, as one that raises does, and the search goes on. `storage` names
    a database, in which others work on the same `study` (docs/scale.md). A search that runs
    out of networks before, or is stopped by Ctrl-C, says so in the result's `ending`. Raises SpecError for a wrong
    argument or space, an impossible budget, a folder that holds another search, and, once everything found is written,
    for what ended the search early: failures in a row, a full disk.
    """
    watcher = watcher or Watcher()
    limits = Budget(parse_macs(str(budget)), None if max_params is None else parse_params(str(max_params)))
    objective, trials, seed = read_objective(objective), read_trials(trials), read_seed(seed)
    counts, changes = read_stages(stages), read_changes(set)
    how = How(read_workers(workers), None if trial_timeout is None else parse_seconds(str(trial_timeout)))
    sharing = read_sharing(storage, study, heartbeat)
    from .evaluators import choose

    chosen = choose(evaluator, {"data": data, "epochs": epochs, "recipe": recipe})
    file, folder = read_place(space, "--space", "space.yaml"), read_place(out, "--out", "runs/mine")
    opened = load_space(file, stages=counts, resolution=read_size(resolution), set=changes)
    watcher.opened(opened)
    check_possible(opened, limits)
    size = size_of(opened)
    own_folder = default_folder(opened, limits, size, objective, chosen.label, seed)
    folder = folder or own_folder
    settings = {
        "space": f"{Path(opened.file).name} {opened.fingerprint}",
        "budget": limits.macs,
        "max_params": limits.max_params,
        "resolution": format_resolution(size),
        "stages": None if counts is None else ",".join(map(str, counts)),
        "objective": objective,
        "evaluator": chosen.name,
        **chosen.settings,
        "seed": seed,
        "version": __version__,
    }
    from .report import write_reports

    keep: Keep = partial(_keep_alone, folder, settings)
    if sharing is not None:
        from .shared.starting import start

        plan = (settings, opened, chosen)
        keep = start(sharing, sharing.study or own_folder.name, plan, trials, folder, watcher.noted)
    with locked_folder(folder, "search"), nullcontext() if sharing is None else ended_by_sigterm():
        found, failure = _run(opened, limits, settings, chosen, folder, trials, watcher, size, how, keep)
        try:
            watcher.ended(found)
            write_reports(found)
        except KeyboardInterrupt:
            found = replace(found, was_interrupted=True, ending="not all files were written anew")
            watcher.ended(found)
        except SpecError as error:
            failure = _joined(failure, error)
    if failure is not None:
        raise failure
    return found


def _keep_alone(out: Path, settings: dict[str, Any], sampler: BudgetedSampler) -> SearchStudy:
    from .study import SearchStudy, directions_of

    return SearchStudy(out, settings, sampler, directions_of(settings["objective"]))


def _run(
    space: Space,
    budget: Budget,
    settings: dict[str, Any],
    chosen: Chosen,
    out: Path,
    trials: int,
    watcher: Watcher,
    size: tuple[int, int],
    how: How,
    keep: Keep,
) -> tuple[SearchResult, Exception | None]:
    """What was found, and the error that ended the search early, if one did."""
    from .pursuit import Pursuit
    from .samplers.budgeted import BudgetedSampler

    seed, is_single = settings["seed"], settings["objective"] == "score"
    sampler = BudgetedSampler(space, budget, seed)
    study = keep(sampler)
    is_here = chosen.is_quick and how == How()
    pursuit = Pursuit(
        space,
        study,
        sampler,
        seed=seed,
        is_single=is_single,
        is_noted=not is_here,
        tried=watcher.tried,
        failed=watcher.failed,
    )
    feasibility = measure_feasibility(space, budget, seed)
    finished = len(pursuit.members)
    watcher.started(Started(space, budget, feasibility, size, out, trials, finished, study.dropped_bytes))
    was_interrupted, ending = False, ""
    failure: Exception | None = None
    try:
        if finished < trials:  # a finished search is told again without loading torch
            from .evaluation.here import Here
            from .evaluation.processes import Processes

            place = Here(chosen) if is_here else Processes(chosen, how.workers, how.timeout_s)
            with study, place as evaluation:
                pursuit.go_on(evaluation, trials)
    except KeyboardInterrupt:
        was_interrupted = True
    except SpecError as error:
        if error.problems[0].code == "exhausted" and pursuit.members:
            ending = error.problems[0].message
        else:
            failure = error
    except Exception as error:
        # nobody's mistake but ours: what was found before it is written all the same
        failure = error
    members = tuple(sorted(pursuit.members, key=lambda member: member.number))
    front = pareto_front(members)
    found = SearchResult(
        members,
        front,
        out,
        chosen.score_name,
        settings,
        was_interrupted=was_interrupted,
        ending=ending,
        is_untrained=chosen.is_untrained,
    )
    return found, failure


def _joined(first: Exception | None, second: SpecError) -> Exception:
    """One error that tells two."""
    if first is None:
        return second
    if isinstance(first, SpecError):
        return SpecError([*first.problems, *second.problems])
    first.add_note(str(second))
    return first


class _Callable(ModuleType):
    """Lets `explorer.search(…)` be called although `explorer.search` is this module."""

    def __call__(self, *arguments: Any, **options: Any) -> SearchResult:
        return search(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
