"""Rule `stage`: one more stage in front for each doubling, so that the old stages see the map sizes they saw."""

from __future__ import annotations

from ...errors import Problem, SpecError
from ..draft import Draft

GRID = 32
"""A new stage is half as wide as the next, down to a multiple of this, the calibrated networks' width of a head."""


def add_stages(draft: Draft) -> None:
    """Put `draft.added` stages in front."""
    for _ in range(draft.added):
        first = draft.stages[0]
        half = first[0]["width"] // 2
        if half < 1:
            raise SpecError(Problem("rule stage: the first stage is too narrow to halve", "stages[0].width"))
        depth = sum(run["depth"] for run in first if run["block"] != "norm")
        if not depth:
            raise SpecError(Problem("rule stage: no blocks here for a new stage to go before", "stages[0]"))
        block = first[0]["block"]
        front = {"block": block if block == "hr" else "cffn", "depth": depth, "width": half // GRID * GRID or half}
        first[0]["downsample"] = "strided"
        draft.stages.insert(0, [front])
    for index in range(draft.added):
        draft.note(f"stages[{index}]", "stage", "new")
