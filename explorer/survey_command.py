"""What `--objective cost-only` shows: progress on stderr, and how many networks are within the budget."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hiri_spec import SpecError
from hiri_spec.command_line import console
from hiri_spec.cost import CONVENTION
from hiri_spec.errors import Problem
from hiri_spec.quantities import parse_macs, parse_params

from .arguments import (
    default_folder,
    read_changes,
    read_place,
    read_seed,
    read_size,
    read_stages,
    read_trials,
    size_of,
)
from .budget import Budget, format_macs
from .names import DEFAULT_EVALUATOR
from .space import load_space
from .survey import FILE, Survey, survey

COST_ONLY = "cost-only"
"""The objective."""
DEFAULT_DRAWS = 1_000_000


def run_survey(
    budget: str,
    *,
    resolution: Any,
    stages: Any,
    trials: int | None,
    space: str | None,
    max_params: str | None,
    set: dict[str, Any],
    out: str | None,
    seed: int,
    as_json: bool,
    others: dict[str, bool],
) -> None:
    """Go through a space, and print what is within the budget; `others` are options that have no say, and if given.

    Raises SpecError for those that were, and for whatever a search raises it for.
    """
    for flag, is_given in others.items():
        if is_given:
            raise SpecError(Problem(f"nothing is evaluated with --objective {COST_ONLY}; leave it out", flag))
    limits = Budget(parse_macs(budget), None if max_params is None else parse_params(max_params))
    draws, seed = read_trials(DEFAULT_DRAWS if trials is None else trials), read_seed(seed)
    opened = load_space(
        read_place(space, "--space", "space.yaml"),
        stages=read_stages(stages),
        resolution=read_size(resolution),
        set=read_changes(set),
    )
    folder = read_place(out, "--out", "runs/mine")
    if folder is None:
        folder = default_folder(opened, limits, size_of(opened), COST_ONLY, DEFAULT_EVALUATOR, seed)
    found = survey(opened, limits, draws, seed, Path(folder), _tell)
    if as_json:
        sys.stdout.write(json.dumps({"convention": CONVENTION, **found.as_data()}, indent=2) + "\n")
        return
    sys.stdout.write(_describe(found, limits))


def _tell(found: Survey) -> None:
    within = sum(found.within.values())
    line = f"{found.draws:,} candidates, {found.rate:,.0f} a second, {within:,} within the budget"
    console(stderr=True).print(line, soft_wrap=True)


def _describe(found: Survey, limits: Budget) -> str:
    within = sum(found.within.values())
    how = "all networks of the space" if found.is_whole else f"{found.draws:,} draws from the space"
    lines = [f"{how}: {found.networks:,} are in order; {found.draws:,} candidates in {found.seconds:.1f} s"]
    if found.least_macs is not None and found.most_macs is not None:
        lines.append(f"they cost {format_macs(found.least_macs)} to {format_macs(found.most_macs)}; {CONVENTION}")
    lines.append(f"{within:,} different ones are within {limits}: {found.out / FILE}")
    lines += [f"  {number:,} of {stages} stages" for stages, number in sorted(found.within.items())]
    return "\n".join(lines) + "\n"
