"""Rule `downsample`: downsamplings become IRDS, a in front, b for the last two."""

from __future__ import annotations

from ..draft import Draft


def make_irds(draft: Draft) -> None:
    """Replace the downsamplings, but for those that add a stream."""
    downsampled = [index for index, stage in enumerate(draft.stages) if "downsample" in stage[0]]
    for place, index in enumerate(downsampled):
        run = draft.stages[index][0]
        old = run["downsample"]
        name = old if isinstance(old, str) else old["downsample"]
        if name == "add_stream":
            continue
        new = "irds_a" if place <= draft.added else "irds_b"
        if name != new:
            run["downsample"] = new
            draft.note(f"stages[{index}]", "downsample", f"{name} became {new}")
