"""Budgets, and fitting a candidate to one by its free widths and depths before anything is built."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil, floor

from hiri_spec import ModelSpec, SpecError
from hiri_spec.cost import network_cost
from hiri_spec.errors import Problem
from hiri_spec.quantities import format_resolution

from .bounds import Bound, bound, is_boundable
from .choices import Assignment
from .space import Space, is_ordered

LEAST_SHARE = 0.9
MAX_STEPS = 120
STRIDES = 16
"""About how many steps lead from one end of a long range to the other, to begin with."""
USUAL_HEAD_WIDTH = 32
UNITLESS = 1000
"""Fewer MACs than any network has: a budget like 5 is one whose unit was forgotten."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Most MACs, and most parameters if given; a candidate uses at least `least_share` of the MACs."""

    macs: int
    max_params: int | None = None
    least_share: float = LEAST_SHARE

    @property
    def least_macs(self) -> int:
        """Fewest MACs that a candidate uses."""
        return round(self.macs * self.least_share)

    def __str__(self) -> str:
        limits = f"{format_macs(self.least_macs)} to {format_macs(self.macs)}"
        return limits if self.max_params is None else f"{limits} and {self.max_params:,} parameters"

    def is_met(self, macs: int, params: int) -> bool:
        """Whether a cost lies within the budget and uses enough of it."""
        return self.least_macs <= macs <= self.macs and (self.max_params is None or params <= self.max_params)

    def excess(self, macs: int, params: int) -> int:
        """1 if a cost is over the budget, -1 if it uses too little of it, 0 if it is met."""
        if macs > self.macs or (self.max_params is not None and params > self.max_params):
            return 1
        return -1 if macs < self.least_macs else 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network of a space within the budget."""

    assignment: Assignment
    spec: ModelSpec
    macs: int
    params: int


@dataclass(frozen=True, slots=True)
class Feasibility:
    """What share of raw draws is a network in the right order, and what share is within the budget as well."""

    draws: int
    valid: float
    feasible: float


def cost_of(spec: ModelSpec) -> tuple[int, int]:
    """MACs and parameters at the spec's resolution."""
    params, macs, _ = network_cost(spec, (spec.in_channels, *spec.size))
    return macs, params


def measure_feasibility(space: Space, budget: Budget, seed: int, draws: int = 2000) -> Feasibility:
    """Cost raw draws to say how rare feasible ones are."""
    rng = random.Random(f"feasibility {seed}")
    valid = feasible = 0
    for _ in range(draws):
        spec = space.spec(space.draw(rng))
        if spec is not None and is_ordered(spec):
            valid += 1
            feasible += budget.is_met(*cost_of(spec))
    return Feasibility(draws, valid / draws, feasible / draws)


def settle_heads(space: Space, assignment: Assignment) -> Assignment:
    """Where heads don't divide the width, take the heads on offer that do, nearest to the usual head width."""
    settled = dict(assignment)
    active = space.active(assignment)
    for name in active:
        parameter = space.parameters[name]
        if parameter.field != "heads":
            continue
        prefix = name.rsplit(".", 1)[0] + "."
        widths = [other for other in active if other.startswith(prefix) and space.parameters[other].field == "width"]
        if len(widths) != 1:
            continue
        width = space.parameters[widths[0]].labels[active[widths[0]]]
        if width % parameter.labels[active[name]] == 0:
            continue
        fitting = [index for index, heads in enumerate(parameter.labels) if width % heads == 0]
        if fitting:
            settled[name] = min(fitting, key=lambda index: abs(width / parameter.labels[index] - USUAL_HEAD_WIDTH))
    return settled


def fit(space: Space, budget: Budget, assignment: Assignment, rng: random.Random) -> Candidate | None:
    """Step free widths and depths down or up, in an order drawn by `rng`, until the budget is met; None if it can't be.

    The placement of blocks, expansions and all other choices stay.
    """
    here = _candidate(space, settle_heads(space, assignment))
    if here is None or not is_ordered(here.spec):
        return None
    strides = {name: max(1, len(parameter.labels) // STRIDES) for name, parameter in space.parameters.items()}
    spent: set[tuple[str, bool]] = set()
    for _ in range(MAX_STEPS):
        excess = budget.excess(here.macs, here.params)
        if excess == 0:
            return here
        moves = [
            move for move in _moves(space, here.assignment, -excess, strides) if (move[0], move[1] > 0) not in spent
        ]
        if not moves:
            return None
        name, step = rng.choice(moves)
        stepped = {**here.assignment, name: here.assignment[name] + step}
        there = _candidate(space, settle_heads(space, stepped))
        if there is None or budget.excess(there.macs, there.params) == -excess:
            # no network, or a step too far: take smaller ones, and then another parameter has to give
            if strides[name] == 1:
                spent.add((name, step > 0))
            strides[name] = max(1, strides[name] // 2)
            continue
        here = there
    return None


def list_candidates(space: Space, budget: Budget) -> list[Candidate]:
    """Every network of a space within a budget, by trying them all."""
    found = (_candidate(space, assignment) for assignment in space.every())
    return [
        candidate
        for candidate in found
        if candidate is not None and is_ordered(candidate.spec) and budget.is_met(candidate.macs, candidate.params)
    ]


def _candidate(space: Space, assignment: Assignment) -> Candidate | None:
    spec = space.spec(assignment)
    return None if spec is None else Candidate(assignment, spec, *cost_of(spec))


def _moves(space: Space, assignment: Assignment, direction: int, strides: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Steps of active widths and depths that make the network larger (1) or smaller (-1)."""
    for name, index in space.active(assignment).items():
        parameter = space.parameters[name]
        if parameter.field not in ("width", "depth") or not all(isinstance(x, int | float) for x in parameter.labels):
            continue
        labels = parameter.labels
        for step in (strides[name], -strides[name]):
            # a stride that leads beyond the last option leads to it
            there = min(max(index + step, 0), len(labels) - 1)
            if (labels[there] - labels[index]) * direction > 0:
                yield name, there - index


def check_possible(space: Space, budget: Budget) -> None:
    """Refuse a budget that no network of the space meets; raises SpecError that says what the space allows.

    A space of too many ways to be bounded is let through: its search says when it finds nothing.
    """
    if not is_boundable(space):
        return
    cheapest, dearest, smallest = (
        bound(space, "macs"),
        bound(space, "macs", most=True),
        bound(space, "params") if budget.max_params is not None else None,
    )
    if cheapest is None or dearest is None:
        raise _hopeless(space)
    if budget.macs < cheapest.value:
        way_out = f"use at least {format_macs(cheapest.value, ceil)}"
        if budget.macs < UNITLESS:
            way_out = f"did you mean {budget.macs}gflops? Or {way_out}"
        raise _impossible(space, f"{format_macs(budget.macs)} are too few", "cheapest", cheapest, way_out)
    if budget.least_macs > dearest.value:
        share = f"no network can use {budget.least_share:.0%} of {format_macs(budget.macs)}"
        way_out = f"use at most {format_macs(int(dearest.value / budget.least_share), floor)}"
        raise _impossible(space, share, "dearest", dearest, way_out)
    if smallest is not None and budget.max_params is not None and budget.max_params < smallest.value:
        message = f"{budget.max_params:,} are too few: the smallest network of this space, {smallest.sketch}, "
        raise SpecError(
            Problem(f"{message}has {smallest.value:,}; use at least that", "--max-params", code="impossible")
        )


def _hopeless(space: Space) -> SpecError:
    """Why no network of a space is valid, as told by the first draw that isn't one."""
    rng = random.Random(0)
    for _ in range(100):
        error = space.explain(space.draw(rng))
        if error is not None:
            first = error.problems[0]
            return SpecError(replace(first, message=f"no network of this space is valid, e.g. here: {first.message}"))
    message = "in every network of this space an HR block follows a Transformer, which the search does not allow"
    return SpecError(Problem(f"{message}; offer another block after the Transformer", file=space.file))


def _impossible(space: Space, what: str, which: str, limit: Bound, way_out: str) -> SpecError:
    data = space.top.get("resolution")
    side = getattr(data, "value", None)
    at = f" at {format_resolution((side, side))}" if isinstance(side, int) else ""
    message = (
        f"{what}: the {which} network of this space, {limit.sketch}, costs {format_macs(limit.value)}{at}; {way_out}"
    )
    return SpecError(Problem(message, "--budget", code="impossible"))


def format_macs(macs: int, to_whole: Callable[[float], int] = round) -> str:
    """An amount of MACs with three decimals, rounded as told; small ones in full."""
    for unit, scale in (("GMACs", 10**9), ("MMACs", 10**6)):
        if macs >= scale / 10:
            return f"{to_whole(macs / (scale / 1000)) / 1000:.3f} {unit}"
    return f"{macs:,} MACs"
