"""Fitting a network to a budget by moving its widths and depths along its own proportions."""

from __future__ import annotations

from math import lcm
from typing import Any

from ..cost import cost
from ..errors import Problem, SpecError
from ..files import SpecLike, as_spec
from ..network import Resolution
from ..saving import to_data
from ..schema import ModelSpec

GRID = 8
"""Widths are multiples of this, and of the width of a head."""
FACTORS = [2 ** (step / 16) for step in range(-48, 49)]
DEPTH_FACTORS = (1, 0.9, 1.1, 0.8, 1.25, 0.65, 1.5, 0.5, 2)


def fit_to_budget(
    spec: SpecLike, *, gmacs: float, resolution: Resolution | None = None, at_least: float = 0.9
) -> ModelSpec:
    """The spec with all widths, and if need be all depths, made larger or smaller by one factor each to fit a budget.

    Heads keep their width. The result costs at most `gmacs` GMACs and at least `at_least` of that; raises SpecError
    where no such network is on the grid.
    """
    original = as_spec(spec)
    if gmacs <= 0:
        raise SpecError(Problem(f"{gmacs} is no budget; give GMACs above 0", "gmacs"))
    budget = gmacs * 1e9
    nearest: tuple[float, int] | None = None
    for depth_factor in DEPTH_FACTORS:
        best: tuple[int, ModelSpec] | None = None
        for factor in FACTORS:
            candidate = _resized(original, factor, depth_factor)
            if candidate is None:
                continue
            macs = cost(candidate, resolution).macs
            if nearest is None or abs(macs - budget) < nearest[0]:
                nearest = abs(macs - budget), macs
            if macs <= budget and (best is None or macs > best[0]):
                best = macs, candidate
        if best is not None and best[0] >= at_least * budget:
            return best[1]
    found = f"the nearest costs {nearest[1] / 1e9:.3f}" if nearest else "no width on the grid is valid"
    step, stage = max((_step(stage), index) for index, stage in enumerate(_stages(to_data(original))))
    found += f"; stages[{stage}] moves in the largest steps, of {step} channels, as its heads keep their width"
    message = f"no network of these proportions costs {at_least * gmacs:.3f} to {gmacs:.3f} GMACs; {found}"
    raise SpecError(Problem(message, original.name, code="budget"))


def _resized(original: ModelSpec, factor: float, depth_factor: float) -> ModelSpec | None:
    data = to_data(original)
    stages: list[Any] = []
    for runs in _stages(data):
        width = _on_grid(runs[0]["width"] * factor, _step(runs))
        resized = []
        for run in runs:
            new = {**run, "width": width}
            if "depth" in run:
                new["depth"] = max(1, round(run["depth"] * depth_factor))
            if "heads" in run:
                new["heads"] = width // (run["width"] // run["heads"])
            resized.append(new)
        stages.append(resized)
    data["stages"] = stages
    if "width" in data["stem"]:
        data["stem"] = {**data["stem"], "width": _on_grid(data["stem"]["width"] * factor, GRID)}
    try:
        return as_spec(data)
    except SpecError:  # e.g. a width that only some proportions of a stage can have
        return None


def _stages(data: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The runs of each stage."""
    return [stage if isinstance(stage, list) else [stage] for stage in data["stages"]]


def _step(runs: list[dict[str, Any]]) -> int:
    """What the width of a stage must be a multiple of."""
    return lcm(GRID, *[run["width"] // run["heads"] for run in runs if "heads" in run])


def _on_grid(width: float, step: int) -> int:
    return max(step, round(width / step) * step)
