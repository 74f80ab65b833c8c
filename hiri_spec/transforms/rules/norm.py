"""Rule `norm`: batch norm in the early stages; the late ones keep theirs."""

from __future__ import annotations

from typing import Any

from ...block import Block
from ..draft import Draft

LATE = 2
"""The last so many stages keep their norms."""


def make_norms(draft: Draft) -> None:
    """Make batch norms of the norms of the early stages."""
    for index in range(len(draft.stages) - LATE):
        for run in draft.stages[index]:
            for key, of_block in _norms(run).items():
                if of_block != "batch":
                    run[key] = "batch"
                    if index >= draft.added:
                        draft.note(f"stages[{index}]", "norm", f"{key} of {run['block']}: {of_block} became batch")


def _norms(run: dict[str, Any]) -> dict[str, str]:
    """The norms of a run that may become batch norms: not the one before attention."""
    fields = Block.registry[run["block"]].model_fields
    keys = ("mlp_norm",) if run["block"] == "transformer" else () if "heads" in fields else ("norm",)
    return {key: run.get(key, fields[key].default) for key in keys if key in fields}
