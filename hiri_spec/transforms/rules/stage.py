"""Rule `stage`: one more stage in front for each doubling, so that the old stages see the map sizes they saw."""

from __future__ import annotations

from typing import Any

from ...errors import Problem, SpecError
from ..draft import Draft

GRID = 32
"""A new stage is half as wide as the next, down to a multiple of this, the calibrated networks' width of a head …"""
FINE_GRID = 8
"""… or of this, where it would be narrower than that."""


def add_stages(draft: Draft) -> None:
    """Put `draft.added` stages in front, each with the blocks of the one behind it, half as wide."""
    for _ in range(draft.added):
        first = draft.stages[0]
        half = first[0]["width"] // 2
        if half < FINE_GRID:
            message = f"rule stage: {first[0]['width']} is too narrow to halve on the grid of {FINE_GRID}"
            way_out = f"make the first stage {2 * FINE_GRID} or wider, or ask for a lower resolution"
            raise SpecError(Problem(f"{message}; {way_out}", "stages[0].width"))
        width = half // GRID * GRID or half // FINE_GRID * FINE_GRID
        front = [_like(run, width) for run in first if run["block"] != "norm"]
        if not front:
            raise SpecError(Problem("rule stage: no blocks here for a new stage to go before", "stages[0]"))
        first[0]["downsample"] = "strided"
        draft.stages.insert(0, front)
    for index in range(draft.added):
        draft.note(f"stages[{index}]", "stage", "new")
    draft.note(f"stages[{draft.added}]", "stage", "downsample added")


def _like(run: dict[str, Any], width: int) -> dict[str, Any]:
    """Blocks for a new stage before a run: HR blocks before such, convolutional ones before any other."""
    block = "hr" if run["block"] == "hr" else "cffn"
    shared = run.keys() & {"norm", "activation", "layer_scale"}
    taken = run.keys() - {"downsample", "name"} if run["block"] == block else shared
    options = {key: value for key, value in run.items() if key in taken}
    return options | {"block": block, "depth": run["depth"], "width": width}
