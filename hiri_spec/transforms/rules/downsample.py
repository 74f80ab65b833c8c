"""Rule `downsample`: downsamplings become IRDS, a in front, b for the last two."""

from __future__ import annotations

from ..draft import Draft

LATE = 2
"""The last so many downsamplings are of the late stages' kind."""


def make_irds(draft: Draft) -> None:
    """Replace the downsamplings, but for those that add a stream or are IRDS already."""
    downsampled = [index for index, stage in enumerate(draft.stages) if "downsample" in stage[0]]
    for place, index in enumerate(downsampled):
        run = draft.stages[index][0]
        old = run["downsample"]
        name = old if isinstance(old, str) else old["downsample"]
        if name in ("add_stream", "irds_a", "irds_b"):
            continue
        run["downsample"] = "irds_a" if place < len(downsampled) - LATE else "irds_b"
        draft.note(f"stages[{index}]", "downsample", f"{name} became {run['downsample']}")
