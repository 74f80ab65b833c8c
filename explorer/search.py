"""The search for a network under a budget: `python -m explorer.search --budget 5gflops`, or `explorer.search(…)`."""

from __future__ import annotations

if __name__ == "__main__":
    # before anything slow is imported, and never past this line: the command imports this module by its name
    from .entry import start

    start("explorer.command")

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hiri_spec import SpecError, __version__
from hiri_spec.errors import Problem
from hiri_spec.locking import locked_folder
from hiri_spec.quantities import format_resolution, parse_macs, parse_params, parse_seconds

from .account import Account, write_account
from .arguments import (
    DEVICES,
    OBJECTIVES,
    default_folder,
    read_changes,
    read_limit_ms,
    read_one_of,
    read_place,
    read_seed,
    read_size,
    read_stages,
    read_trials,
    read_workers,
    size_of,
)
from .budget import Budget, check_possible
from .chain import Level, read_chain
from .evaluators import choose, settings_taken
from .interrupts import ended_by_sigterm, surfaced
from .invocation import invocation
from .names import DEFAULT_EVALUATOR, DEFAULT_PRUNER, DEFAULT_SAMPLER, PRUNER_NAMES, SAMPLER_NAMES
from .quest import How, Quest
from .results import SearchResult
from .running import run
from .shared.sharing import read_sharing
from .space import load_space
from .watching import Watcher

if TYPE_CHECKING:
    from .evaluators import Chosen
    from .running import Keep
    from .samplers.budgeted import BudgetedSampler
    from .study import SearchStudy

DEFAULT_TRIALS = 300


def search(
    budget: str | float,
    *,
    resolution: int | tuple[int, int] | str | None = None,
    stages: int | str | Sequence[int] | None = None,
    trials: int = DEFAULT_TRIALS,
    space: str | Path | None = None,
    max_params: str | float | None = None,
    objective: str = "pareto",
    evaluator: str = DEFAULT_EVALUATOR,
    set: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    data: str | None = None,
    epochs: int | None = None,
    recipe: str | None = None,
    sampler: str = DEFAULT_SAMPLER,
    pruner: str | None = None,
    max_latency: str | float | None = None,
    device: str | None = None,
    then: Sequence[str] = (),
    workers: int = 1,
    trial_timeout: str | float | None = None,
    storage: str | None = None,
    study: str | None = None,
    heartbeat: str | float | None = None,
    watcher: Watcher | None = None,
) -> SearchResult:
    """Search a space for networks within a budget ("5gflops", "5gmacs", 5e9), as the command does, and write the same.

    `trials` is the number in all: called again, a search goes on to it. `data`, `epochs` and `recipe` are for the
    evaluator "train", which a `pruner` may stop early. With `max_latency` ("20ms") networks are timed on `device`, and
    slower ones are not scored. `then` is what the best are evaluated by after that, like ["100:zico", "20:train"].
    `workers` networks are evaluated at the same time; an evaluation that takes longer than
    `trial_timeout` ("90s", "5m", or seconds) fails, as one that raises does, and the search goes on. `storage` names
    a database, in which others work on the same `study` (docs/scale.md). A search that runs
    out of networks before, or is stopped by Ctrl-C, says so in the result's `ending`. Raises SpecError for a wrong
    argument or space, an impossible budget, a folder that holds another search, and, once everything found is written,
    for what ended the search early: failures in a row, a full disk.
    """
    asked = dict(locals())  # before there is anything else
    watcher = watcher or Watcher()
    limits = Budget(parse_macs(str(budget)), None if max_params is None else parse_params(str(max_params)))
    objective = read_one_of(objective, OBJECTIVES, "--objective")
    sampler = read_one_of(sampler, SAMPLER_NAMES, "--sampler")
    trials, seed = read_trials(trials), read_seed(seed)
    counts, changes = read_stages(stages), read_changes(set)
    how = How(read_workers(workers), None if trial_timeout is None else parse_seconds(str(trial_timeout)))
    sharing = read_sharing(storage, study, heartbeat)
    own = {"data": data, "epochs": epochs, "recipe": recipe, "device": device}
    limit_ms = None if max_latency is None else read_limit_ms(max_latency)
    is_timed = limit_ms is not None or objective == "latency"
    chosen, levels = _choose(evaluator, then, own, is_timed=is_timed)
    pruners = _read_pruners(pruner, [chosen, *(level.chosen for level in levels)])
    levels = [replace(level, pruner=own_pruner) for level, own_pruner in zip(levels, pruners[1:], strict=True)]
    if is_timed and device == "cuda":
        from hiri_spec.nn.cuda import check_cuda

        check_cuda()
    if is_timed and how.workers > 1:
        message = "networks that are timed while others are evaluated beside them seem slow; leave it out"
        raise SpecError(Problem(message, "--workers"))
    if levels and sharing is not None:
        message = "chains are not for studies in a database yet; leave it out, or leave --storage out"
        raise SpecError(Problem(message, "--then"))
    file, folder = read_place(space, "--space", "space.yaml"), read_place(out, "--out", "runs/mine")
    opened = load_space(file, stages=counts, resolution=read_size(resolution), set=changes)
    watcher.opened(opened)
    check_possible(opened, limits)
    command = invocation(search, {**asked, "stages": counts, "set": changes})
    size = size_of(opened)
    means = {
        "sampler": sampler,
        "pruner": pruners[0],
        "max_latency_ms": limit_ms,
        "device": device,
    }
    usual = {"sampler": DEFAULT_SAMPLER, "pruner": _read_pruners(None, [chosen])[0]}
    unusual = [f"{key}-{value}" for key, value in means.items() if value != usual.get(key)]
    own_folder = default_folder(opened, limits, size, objective, chosen.label, seed, unusual)
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
        **means,
        "seed": seed,
        "version": __version__,
    }
    from .report import write_reports

    account = Account(command, str(Path.cwd()), trials, tuple(level.count for level in levels), opened)
    keep: Keep = partial(_keep_alone, folder, settings, account)
    with ExitStack() as stack:
        stack.enter_context(ended_by_sigterm())
        if sharing is not None:
            from .shared.starting import started

            parts, name = (settings, opened, chosen), sharing.study or own_folder.name
            keep = stack.enter_context(started(sharing, name, parts, trials, folder, watcher.noted))
        stack.enter_context(locked_folder(folder, "search"))
        found, failure = run(Quest(opened, limits, chosen, settings), keep, folder, trials, how, levels, watcher)
        try:
            found = replace(found, command=command)
            with surfaced():
                watcher.ended(found)
                write_reports(found)
        except KeyboardInterrupt:
            found = replace(found, was_interrupted=True, ending="not all files were written anew")
            watcher.ended(found)
        except SpecError as error:
            failure = _joined(failure, error)
        if sharing is None:
            try:
                write_account(folder, account.ended(found.was_interrupted, found.ending, failure))
            except SpecError as error:
                failure = _joined(failure, error)
    if failure is not None:
        raise failure
    return found


def _choose(
    evaluator: str, then: Sequence[str], settings: dict[str, Any], *, is_timed: bool
) -> tuple[Chosen, list[Level]]:
    """The evaluators; a setting that none of them takes is refused by the first."""
    read_one_of(settings["device"] or "cpu", DEVICES, "--device")
    if isinstance(then, str):
        then = [then]
    levels = read_chain(then, settings)
    taken = {key for level in levels for key in level.chosen.settings} | ({"device"} if is_timed else set())
    first = {key: value for key, value in settings.items() if key not in taken}
    return choose(evaluator, first | settings_taken(evaluator, settings)), levels


def _read_pruners(name: str | None, evaluators: Sequence[Chosen]) -> list[str | None]:
    """Each evaluator's pruner, None where there is nothing to prune.

    Raises SpecError for an unknown one, and where none of the evaluators has anything to prune.
    """
    if name is not None:
        name = read_one_of(name, PRUNER_NAMES, "--pruner")
        if name != "none" and not any(each.reports for each in evaluators):
            names = " and ".join(each.name for each in evaluators)
            message = f"{names} tell nothing on their way by which they could be stopped; leave it out"
            raise SpecError(Problem(message, "--pruner"))
    return [(name or DEFAULT_PRUNER) if each.reports else None for each in evaluators]


def _keep_alone(out: Path, settings: dict[str, Any], account: Account, sampler: BudgetedSampler) -> SearchStudy:
    from .study import SearchStudy, directions_of

    study = SearchStudy(out, settings, sampler, directions_of(settings["objective"]))
    write_account(out, account)  # not before: a folder of another search is left alone
    return study


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
