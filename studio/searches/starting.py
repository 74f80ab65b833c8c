"""A search that is started from the page: what is asked for is checked here, before anything is written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from inspect import signature
from pathlib import Path as FilePath

from explorer.arguments import OBJECTIVES, read_one_of, read_seed, read_size, read_stages, read_trials, read_workers
from explorer.evaluators import EVALUATORS
from explorer.invocation import COMMAND, invocation
from explorer.names import DEFAULT_EVALUATOR, DEFAULT_SAMPLER, JOURNAL, SAMPLER_NAMES
from explorer.search import DEFAULT_TRIALS, search
from explorer.space import SPACES, load_space
from hiri_spec import SpecError
from hiri_spec.document import parse
from hiri_spec.errors import Problem, show, suggest
from hiri_spec.quantities import parse_macs, parse_params

from ..workspace import Workspace
from .processes import LOG, launch

DATA = ("digits", "finegrain")
"""What networks can be trained on that needs no path."""
_LEVEL = re.compile(r"([0-9]{1,9}):([a-z_]+)(,epochs=[0-9]{1,6})?")


def start_search(
    workspace: Workspace,
    *,
    out: str,
    budget: str,
    space: str | None = None,
    resolution: str | None = None,
    stages: str | None = None,
    trials: int = DEFAULT_TRIALS,
    evaluator: str = DEFAULT_EVALUATOR,
    objective: str = "pareto",
    max_params: str | None = None,
    sampler: str = DEFAULT_SAMPLER,
    seed: int = 0,
    workers: int = 1,
    data: str | None = None,
    epochs: int | None = None,
    then: Sequence[str] = (),
) -> None:
    """Start a search in the background, as `python -m explorer.search` does, or go on with the one that is in `out`.

    `out` and `space` are paths below the workspace, a space also one of ours by name. Raises SpecError for what is
    wrong with what is asked for, with the option's name; the rest `tail` tells, once the space was looked through.
    An evaluator of the user's own is code, which a page doesn't start.
    """
    folder = _folder(workspace, out)
    parse_macs(budget)
    if max_params is not None:
        parse_params(max_params)
    read_trials(trials), read_seed(seed), read_workers(workers)
    read_one_of(objective, OBJECTIVES, "--objective")
    read_one_of(sampler, SAMPLER_NAMES, "--sampler")
    levels = [_level(text) for text in then]
    names = [_evaluator(evaluator, "--evaluator"), *levels]
    if data is not None:
        read_one_of(data, DATA, "--data")
    needs_data = "train" in names
    if needs_data != (data is not None):
        way = f"give one, {' or '.join(DATA)}" if needs_data else "leave it out, as nothing is trained"
        raise SpecError(Problem(f"{show(data)} is no data; {way}", "--data"))
    place = None if space is None else _space(workspace, space)
    _check_space(workspace, place, stages, resolution)
    asked = {name: parameter.default for name, parameter in signature(search).parameters.items()}
    asked |= {
        "budget": budget,
        "resolution": resolution,
        "stages": stages,
        "trials": trials,
        "space": place,
        "max_params": max_params,
        "objective": objective,
        "evaluator": evaluator,
        "out": out,
        "seed": seed,
        "data": data,
        "epochs": epochs,
        "sampler": sampler,
        "then": tuple(then),
        "workers": workers,
    }
    shown = invocation(search, asked)
    words = shlex.split(shown)[len(COMMAND.split()) - 1 :]
    launch(folder, words, shown, workspace.root)


def _folder(workspace: Workspace, out: str) -> FilePath:
    """The folder of a search: a new one, or that of one."""
    folder = workspace.locate(out)
    try:
        if folder.exists() and not folder.is_dir():
            raise SpecError(Problem("is a file, not a folder; name another", "--out", file=out, code="unwritable"))
        is_taken = folder == workspace.root or (folder.is_dir() and any(folder.iterdir()))
        if is_taken and not any((folder / name).is_file() for name in (JOURNAL, LOG)):
            message = "holds other files, among which a search would write its own; name a new folder"
            raise SpecError(Problem(message, "--out", file=out, code="other"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError(Problem(f"cannot be used: {reason}", "--out", file=out, code="unwritable")) from None
    return folder


def _evaluator(name: str, flag: str) -> str:
    if name not in EVALUATORS:
        raise SpecError(Problem(f"unknown evaluator {show(name)}; {suggest(name, EVALUATORS)}", flag))
    return name


def _level(text: str) -> str:
    match = _LEVEL.fullmatch(text)
    if match is None or not int(match[1]):
        raise SpecError(
            Problem(f"{show(text)} is no further level; write it like 20:zen or 5:train,epochs=3", "--then")
        )
    return _evaluator(match[2], "--then")


def _space(workspace: Workspace, space: str) -> str:
    """A space as the command takes it, which runs in the workspace."""
    ours = sorted(file.stem for file in SPACES.glob("*.yaml"))
    if space in ours:
        return space
    place = workspace.locate(space)
    if not place.is_file():
        message = (
            f"{show(space)} is no file in the opened folder; {suggest(space, [*ours, *workspace.listing().spaces])}"
        )
        raise SpecError(Problem(message, "--space", code="no_file"))
    return space


def _check_space(workspace: Workspace, space: str | None, stages: str | None, resolution: str | None) -> None:
    """Tell now what is wrong with a space, unless it extends another: what that may read, the command knows."""
    counts, size = read_stages(stages), read_size(resolution)
    if space is None or (SPACES / f"{space}.yaml").is_file():
        load_space(space, stages=counts, resolution=size)
        return
    data = parse(workspace.read(space).text, space).data
    if not isinstance(data, dict) or "extends" not in data:
        load_space(workspace.locate(space), stages=counts, resolution=size)
