"""Rule `blocks`: the stages in front, and what was the first one, are made of HR blocks.

A pair of Swin's or DaViT's layers is one block, as in their specs: two HR blocks for each layer would take DaViT-Tiny
at 448 above 1.2 times its cost at 224.
"""

from __future__ import annotations

from typing import Any

from ...block import Block
from ...network import run_names
from ..draft import Draft, Stage, tell

BLOCKS_FOR_ONE = 2
"""HR blocks that stand for one block replaced (Table VII, row 10)."""
SHARED = ("norm", "activation", "layer_scale", "name")
"""Options of every block, which its replacement keeps."""


def make_hr(draft: Draft) -> None:
    """Replace the blocks of the new stages and of the old first one, but for those that are HR blocks already."""
    for index in range(draft.added + 1):
        old = draft.stages[index]
        if all(run["block"] in ("hr", "norm") for run in old):
            continue
        new = [_as_hr(run) for run in old if run["block"] != "norm"]
        if "downsample" in old[0]:
            new[0]["downsample"] = old[0]["downsample"]
        draft.stages[index] = new
        origin = draft.origin(index)
        if index < draft.added:
            is_mixed = any(run["block"] == "hr" for run in old)
            why = "as many as in the old first stage" if is_mixed else "two for each block of the old first stage"
            draft.note(f"stages[{index}]", "blocks", f"{_count(new)}, {why}")
        elif origin is None:
            draft.note(f"stages[{index}]", "blocks", f"{_count(new)} for the stem's bottleneck x{old[0]['depth']}")
        else:
            what, gone = _told(old)
            draft.note(f"stages[{index}]", "blocks", ", ".join(filter(None, [what, _keep_names(old, new)])), gone)


def _as_hr(run: dict[str, Any]) -> dict[str, Any]:
    if run["block"] == "hr":
        return {key: value for key, value in run.items() if key != "downsample"}
    kept = {key: run[key] for key in SHARED if key in run}
    return {"block": "hr", "depth": BLOCKS_FOR_ONE * run["depth"], "width": run["width"], **kept}


def _count(runs: Stage) -> str:
    return ", ".join(f"{run['block']} x{run.get('depth', 1)}" for run in runs)


def _told(old: Stage) -> tuple[str, str]:
    """What became of the runs of a stage, and what is gone with them."""
    told, gone = [], []
    for run in old:
        if run["block"] == "norm":
            told.append(f"{_count([run])} left out")
        elif run["block"] != "hr":
            told.append(f"hr x{BLOCKS_FOR_ONE * run['depth']} for {_count([run])}")
        if run["block"] != "hr":
            kept = ("block", "depth", "width", "downsample", *(SHARED if run["block"] != "norm" else ()))
            gone.append(tell({key: value for key, value in run.items() if key not in kept}))
    return ", ".join(told), "; ".join(filter(None, gone))


def _keep_names(old: Stage, new: Stage) -> str:
    """Where the HR blocks that stay would be named otherwise than before, name them, to keep their weights."""
    stayed = [
        (now, name)
        for before, name, now in zip(*_without_norms(old, _names(old)), new, strict=True)
        if before["block"] == "hr"
    ]
    names = dict(zip(map(id, new), _names(new), strict=True))
    if all(names[id(run)] == name for run, name in stayed):
        return ""
    for run, name in stayed:
        run["name"] = name
    return ", ".join(f"{_count([run])} named {name} as before" for run, name in stayed)


def _without_norms(stage: Stage, names: list[str]) -> tuple[Stage, list[str]]:
    kept = [(run, name) for run, name in zip(stage, names, strict=True) if run["block"] != "norm"]
    return [run for run, _ in kept], [name for _, name in kept]


def _names(stage: Stage) -> list[str]:
    return run_names(tuple(Block.registry[run["block"]].model_validate(run) for run in stage))
