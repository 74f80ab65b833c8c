"""The search for a network under a budget: `python -m explorer.search --budget 5gflops`, or `explorer.search(…)`."""

from __future__ import annotations

import math
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from hiri_spec import ModelSpec, SpecError, __version__
from hiri_spec.errors import Problem, suggest
from hiri_spec.files import to_yaml, write_text
from hiri_spec.quantities import format_resolution, parse_macs, parse_params, parse_resolutions

from .budget import Budget, Feasibility, check_possible, measure_feasibility
from .results import Member, SearchResult, pareto_front
from .space import DEFAULT_SPACE, Space, load_space, sketch

OBJECTIVES = ("pareto", "score")
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


class Watcher:
    """Told how a search goes; this one says nothing."""

    def started(self, start: Started) -> None:
        """The space is read and the study open."""

    def tried(self, member: Member, best: Member) -> None:
        """A trial is finished."""


def search(
    budget: str | float,
    *,
    resolution: int | tuple[int, int] | str | None = None,
    stages: int | Sequence[int] | None = None,
    trials: int = DEFAULT_TRIALS,
    space: str | Path | None = None,
    max_params: str | float | None = None,
    objective: str = "pareto",
    evaluator: str = "zico",
    set: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    watcher: Watcher | None = None,
) -> SearchResult:
    """Search a space for networks within a budget ("5gflops", "5gmacs", 5e9), as the command does, and write the same.

    `trials` is the number in all: called again, a search goes on to it. Raises SpecError for a wrong space, an
    impossible budget, or a folder that holds another search.
    """
    watcher = watcher or Watcher()
    limits = Budget(parse_macs(str(budget)), None if max_params is None else parse_params(str(max_params)))
    if objective not in OBJECTIVES:
        raise SpecError(Problem(f"unknown objective {objective!r}; {suggest(objective, OBJECTIVES)}", "--objective"))
    if trials < 1:
        raise SpecError(Problem(f"{trials} trials are too few; ask for 1 or more", "--trials"))
    stages = [stages] if isinstance(stages, int) else stages
    from .evaluators import check_known

    check_known(evaluator)
    opened = load_space(space, stages=stages, resolution=_read_size(resolution), set=set)
    check_possible(opened, limits)
    size = _size_of(opened)
    folder = Path(out) if out is not None else _default_folder(opened, limits, size, objective, evaluator, seed)
    settings = {
        "space": f"{Path(opened.file).name} {opened.fingerprint}",
        "budget": limits.macs,
        "max_params": limits.max_params,
        "resolution": format_resolution(size),
        "stages": None if stages is None else ",".join(map(str, sorted({*stages}))),
        "objective": objective,
        "evaluator": evaluator,
        "seed": seed,
        "version": __version__,
    }
    from .report import write_reports
    from .study import locked_folder

    with locked_folder(folder):
        found, failure = _run(opened, limits, settings, folder, trials, watcher, size)
        write_reports(found)
    if failure is not None:
        raise failure
    return found


def _run(
    space: Space,
    budget: Budget,
    settings: dict[str, Any],
    out: Path,
    trials: int,
    watcher: Watcher,
    size: tuple[int, int],
) -> tuple[SearchResult, SpecError | None]:
    """What was found, and the error that ended the search early, if one did."""
    from .evaluators import EVALUATORS, load_evaluator
    from .samplers.budgeted import BudgetedSampler
    from .study import SearchStudy

    seed, is_single = settings["seed"], settings["objective"] == "score"
    sampler = BudgetedSampler(space, budget, seed)
    directions: list[Literal["minimize", "maximize"]] = ["maximize"] if is_single else ["maximize", "minimize"]
    study = SearchStudy(out, settings, sampler, directions)
    members = [_member(space, trial) for trial in study.trials]
    feasibility = measure_feasibility(space, budget, seed)
    watcher.started(Started(space, budget, feasibility, size, out, trials, len(members), study.dropped_bytes))
    was_interrupted = False
    failure = None
    try:
        # a finished search is told again without loading torch
        evaluate = load_evaluator(settings["evaluator"]) if len(members) < trials else None
        while evaluate is not None and len(members) < trials:
            trial = study.ask()
            candidate = sampler.candidates.pop(trial.number)
            began = time.perf_counter()
            try:
                score = _evaluate(evaluate, candidate.spec, seed, out, trial.number)
            except SpecError as error:
                study.fail(trial, str(error))
                failure = error
                break
            attributes = {
                "macs": candidate.macs,
                "params": candidate.params,
                "architecture": sketch(candidate.spec),
                "seconds": round(time.perf_counter() - began, 4),
            }
            values = [score] if is_single else [score, float(candidate.macs)]
            members.append(_member(space, study.tell(trial, values, attributes)))
            best = max(members, key=lambda member: member.score)
            watcher.tried(members[-1], best)
    except KeyboardInterrupt:
        was_interrupted = True
    score_name = EVALUATORS[settings["evaluator"]].score_name
    return SearchResult(tuple(members), pareto_front(members), out, score_name, settings, was_interrupted), failure


def _evaluate(evaluate: Callable[[ModelSpec, int], float], spec: ModelSpec, seed: int, out: Path, number: int) -> float:
    """The score of a network; if the evaluator fails, the network and the traceback are kept for a report."""
    try:
        score = float(evaluate(spec, seed))
        if not math.isfinite(score):
            raise ArithmeticError(f"the score is {score}")
    except Exception as error:
        place = out / f"failed-{number}.yaml"
        write_text(place, to_yaml(spec))
        write_text(place.with_suffix(".txt"), traceback.format_exc())
        message = f"the evaluator failed on trial {number}: {type(error).__name__}: {error}; the trials before are kept"
        hint = f"the network is in {place}, the traceback beside it; the same command goes on with the next network"
        raise SpecError(Problem(f"{message}; {hint}", "--evaluator", code="evaluator")) from error
    return score


def _member(space: Space, trial: Any) -> Member:
    assignment = {name: space.parameters[name].labels.index(value) for name, value in trial.params.items()}
    spec = space.spec(assignment)
    if spec is None:
        raise SpecError(Problem(f"trial {trial.number} of the journal is no network of this space", "--out"))
    spec = spec.model_copy(update={"name": f"{spec.name}_{trial.number}"})
    values = space.values(assignment)
    return Member(trial.number, spec, trial.score, trial.macs, trial.parameter_count, trial.seconds, values)


def _read_size(resolution: int | tuple[int, int] | str | None) -> tuple[int, int] | None:
    if resolution is None:
        return None
    if isinstance(resolution, tuple | list):
        if len(resolution) != 2:
            raise SpecError(Problem(f"{resolution!r} is no image size; give (height, width)", "--resolution"))
        return resolution[0], resolution[1]
    sizes = parse_resolutions(str(resolution))
    if len(sizes) != 1:
        raise SpecError(Problem("a search has one image size; give one", "--resolution"))
    return sizes[0]


def _size_of(space: Space) -> tuple[int, int]:
    spec_size = getattr(space.top.get("resolution"), "value", None)
    if isinstance(spec_size, int):
        return spec_size, spec_size
    items = getattr(space.top.get("resolution"), "items", None)
    if isinstance(items, list):
        height, width = (item.value for item in items)
        return height, width
    default: int = ModelSpec.model_fields["resolution"].default
    return default, default


def _default_folder(
    space: Space, budget: Budget, size: tuple[int, int], objective: str, evaluator: str, seed: int
) -> Path:
    """A name for each search, so that the same command finds its own study again and no other's."""
    parts = [Path(space.file).stem, f"{budget.macs / 1e9:g}gmacs", format_resolution(size)]
    if budget.max_params is not None:
        parts.append(f"{budget.max_params / 1e6:g}mparams")
    parts += [name for name, default in ((objective, "pareto"), (evaluator, "zico")) if name != default]
    if seed:
        parts.append(f"seed{seed}")
    if Path(space.file).resolve() != DEFAULT_SPACE.resolve() or space.is_changed:
        parts.append(space.fingerprint[:6])
    return Path("runs") / "-".join(parts)


class _Callable(ModuleType):
    """Lets `explorer.search(…)` be called although `explorer.search` is this module."""

    def __call__(self, *arguments: Any, **options: Any) -> SearchResult:
        return search(*arguments, **options)


sys.modules[__name__].__class__ = _Callable

if __name__ == "__main__":
    from .command import main

    main()
