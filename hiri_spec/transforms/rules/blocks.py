"""Rule `blocks`: the stages in front, and what was the first one, are made of HR blocks."""

from __future__ import annotations

from ..draft import Draft

BLOCKS_FOR_ONE = 2
"""HR blocks that stand for one block replaced (Table VII, row 10)."""


def make_hr(draft: Draft) -> None:
    """Replace the blocks of the new stages and of the old first one."""
    for index in range(draft.added + 1):
        stage = draft.stages[index]
        blocks = [run for run in stage if run["block"] not in ("norm", "hr")]
        if not blocks:
            continue
        if index < draft.added:
            why = "two for each block of the old first stage"
        elif draft.original.stem.has_own_width:
            why = f"the stem's {sum(run['depth'] for run in blocks)} bottlenecks before"
        else:
            why = " + ".join(f"{run['block']} x{run['depth']}" for run in blocks) + " before"
        depth = BLOCKS_FOR_ONE * sum(run["depth"] for run in blocks)
        hr = {"block": "hr", "depth": depth, "width": stage[0]["width"]}
        if "downsample" in stage[0]:
            hr["downsample"] = stage[0]["downsample"]
        draft.stages[index] = [hr]
        draft.changed.add(index)
        draft.note(f"stages[{index}]", "blocks", f"hr x{depth}, {why}")
