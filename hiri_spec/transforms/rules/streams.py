"""Rule `streams`: the first stream of an HRNet, the one of high resolution, is made of HR blocks."""

from __future__ import annotations

from ..draft import Draft


def make_streams(draft: Draft) -> None:
    """Let the first stream of each module of streams be of HR blocks."""
    for index, stage in enumerate(draft.stages):
        for run in stage:
            if run["block"] == "streams" and run.get("high") != "hr":
                run["high"] = "hr"
                draft.note(f"stages[{index}]", "streams", "high: basic became hr, two blocks for each")
