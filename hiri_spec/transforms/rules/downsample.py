"""Rule `downsample`: downsamplings become IRDS, a in front, b for the last two; those that are IRDS stay."""

from __future__ import annotations

from ...block import Downsample
from ..draft import Draft, tell

LATE = 2
"""The last so many downsamplings are of the late stages' kind."""


def make_irds(draft: Draft) -> None:
    """Replace the downsamplings, but for those that add a stream or are IRDS already."""
    downsampled = [index for index, stage in enumerate(draft.stages) if "downsample" in stage[0]]
    for place, index in enumerate(downsampled):
        run = draft.stages[index][0]
        old = run["downsample"] if isinstance(run["downsample"], dict) else {"downsample": run["downsample"]}
        if old["downsample"] in ("add_stream", "irds_a", "irds_b"):
            continue
        new = "irds_a" if place < len(downsampled) - LATE else "irds_b"
        fields = Downsample.registry[new].model_fields
        shared = {key: value for key, value in old.items() if key in ("norm", "activation") and key in fields}
        kept = {key: value for key, value in shared.items() if value != fields[key].default}
        run["downsample"] = {"downsample": new, **kept} if kept else new
        gone = {key: value for key, value in old.items() if key not in (*shared, "downsample")}
        if index > draft.added or not draft.added:
            draft.note(f"stages[{index}]", "downsample", f"{old['downsample']} became {new}", tell(gone))
        else:
            draft.note(f"stages[{index}]", "downsample", f"{new} for the one added")
