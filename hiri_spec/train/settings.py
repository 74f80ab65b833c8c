"""What a run is asked for, from the command line or from Python: which changes go where, and to which recipe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import Problem, SpecError, suggest
from ..files import parse_path
from ..quantities import format_count, parse_resolutions
from ..schema import ModelSpec
from .plan import Plan
from .recipe import Recipe
from .recipe_file import PlanType

Changes = Mapping[str, Any]
OF_BOTH = ("resolution", "drop_path_rate")
"""Fields of specs and recipes that the recipe's value decides."""
WARMUP_SHARE = 0.1
"""Of a training, where it is too short for the recipe's own warm-up."""


def split_changes(changes: Changes, recipe: type[Plan] = Recipe) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `set` changes in the spec, and what in a recipe of a type; raises SpecError for a field that neither has."""
    of_spec: dict[str, Any] = {}
    of_recipe: dict[str, Any] = {}
    for dotted, value in changes.items():
        field = str(parse_path(dotted)[0])
        fields = recipe.model_fields
        if field in fields and (field in OF_BOTH or field not in ModelSpec.model_fields):
            of_recipe[dotted] = value
        elif field in ModelSpec.model_fields:
            of_spec[dotted] = value
        else:
            known = ModelSpec.model_fields | fields
            message = f"neither the spec nor the recipe has a field {field!r}; {suggest(field, known)}"
            raise SpecError(Problem(message, dotted, "--set", code="no_such_path"))
    return of_spec, of_recipe


def read_plan(
    load: Callable[..., PlanType], name: str, changes: Changes, flags: Changes, tell: Callable[[str], None]
) -> PlanType:
    """The recipe that `load` finds by a name, with changes, and then flags such as epochs, set.

    Where `--epochs` leaves nothing after the recipe's own warm-up, that is shortened, and where it ends before the
    recipe's last step down of the learning rate, all of them come sooner in proportion; both are told.
    """
    with _flags_told(flags) as own:
        try:
            plan = load(name, set={**changes, **own})
        except SpecError as error:
            is_too_short = [(each.path, each.code) for each in error.problems] == [("epochs", "too_few")]
            if not is_too_short or not _may_shorten_warmup(changes, own):
                raise
            shorter = own["epochs"] * WARMUP_SHARE
            tell(
                f"--epochs {own['epochs']} leaves nothing after the recipe's warm-up, which takes {shorter:g} epochs "
                "instead; --set schedule.warmup_epochs=0 leaves it out"
            )
            changes = {**changes, "schedule.warmup_epochs": shorter}
            plan = load(name, set={**changes, **own})
        if not _loses_milestones(plan, changes, own):
            return plan
        longer = {**changes, **own, "schedule.warmup_epochs": 0}  # which may not fit the recipe's own epochs
        if "epochs" in changes:
            longer["epochs"] = changes["epochs"]
        else:
            del longer["epochs"]
        whole = load(name, set=longer).epochs
        if whole <= plan.epochs:
            return plan
        before = plan.schedule.milestones
        sooner = [milestone * plan.epochs / whole for milestone in before]
        kept = ",".join(f"{milestone:g}" for milestone in before)
        tell(
            f"--epochs {plan.epochs} would leave out steps down of the learning rate, which the recipe has at "
            f"{_listed(before)} of {whole} epochs; they come at {_listed(sooner)} instead; "
            f"--set schedule.milestones=[{kept}] leaves them there"
        )
        return load(name, set={**changes, **own, "schedule.milestones": sooner})


def _loses_milestones(plan: Plan, changes: Changes, flags: Changes) -> bool:
    """Whether a flag made the training end before a step down, and nobody has said when the steps are to be."""
    is_said = any(parse_path(path)[:2] in (("schedule",), ("schedule", "milestones")) for path in changes)
    schedule = plan.schedule
    is_lost = schedule.schedule == "step" and schedule.milestones[-1] >= plan.epochs
    return "epochs" in flags and not is_said and is_lost


def _listed(numbers: Sequence[float]) -> str:
    *others, last = (f"{number:g}" for number in numbers)
    return f"{', '.join(others)} and {last}" if others else last


def fit_warmup_steps(
    plan: PlanType, images: int, changes: Changes, flags: Changes, tell: Callable[[str], None]
) -> PlanType:
    """The same for a warm-up in steps: what is left of it over an epoch of so many images is known with the data."""
    steps = plan.epochs * plan.count_steps(images)
    if (plan.schedule.warmup_steps or 0) < steps or not _may_shorten_warmup(changes, flags):
        return plan
    shorter = int(steps * WARMUP_SHARE)
    instead = (
        f"; that takes {format_count(shorter, 'step')} instead; --set schedule.warmup_steps=0 leaves it out"
        if shorter
        else ", so that is left out"
    )
    has = f"--epochs {plan.epochs} has {format_count(steps, 'step')}"
    tell(f"{has}, which leaves nothing after the recipe's warm-up{instead}")
    return plan.model_copy(update={"schedule": plan.schedule.model_copy(update={"warmup_steps": shorter})})


def _may_shorten_warmup(changes: Changes, flags: Changes) -> bool:
    """Whether a flag made the training short, and nobody has said how long the warm-up is to be."""
    return flags.get("epochs") is not None and not changes.keys() & {"schedule.warmup_epochs", "schedule.warmup_steps"}


@contextmanager
def _flags_told(flags: Changes) -> Iterator[dict[str, Any]]:
    """The flags that were given; a SpecError about the value of one is told of the flag."""
    own = {field: value for field, value in flags.items() if value is not None}
    try:
        yield own
    except SpecError as error:
        raise SpecError(_of_flag(problem, own) for problem in error.problems) from None


def _of_flag(problem: Problem, flags: Changes) -> Problem:
    """A problem with a value that a flag gave is told of the flag."""
    if problem.file == "--set" and problem.path in flags:
        return replace(problem, file="", path=f"--{problem.path.replace('_', '-')}")
    return problem


def default_folder(network: str, data: str) -> Path:
    """Where a run goes that nobody gave a folder: runs/tiny-digits."""
    name = Path(data).resolve().name if Path(data).is_dir() else data
    return Path("runs") / f"{network}-{re.sub(r'[^A-Za-z0-9_.]+', '-', name).strip('-.') or 'data'}"


def parse_size(text: str | None) -> int | list[int] | None:
    """`--resolution` as a recipe has it: a side, or [height, width]."""
    if text is None:
        return None
    sizes = parse_resolutions(text)
    if len(sizes) != 1:
        raise SpecError(Problem("a network is trained at one size; give one", "--resolution"))
    height, width = sizes[0]
    return height if height == width else [height, width]
