"""Rule `stem`: the stem becomes an HR-stem; and HRNet's stem, which holds a first stage, gives it up."""

from __future__ import annotations

from collections.abc import Collection

from ...errors import Problem, SpecError
from ..draft import Draft, tell

WIDTH = 32
"""Width inside the HR-stem of HIRI-ViT's calibrated networks; a narrower first stage has a stem as narrow."""
TOGETHER = ("stem", "stage", "blocks")
"""Rules that go together for HRNet."""


def unpack_stem(draft: Draft, without: Collection[str]) -> None:
    """HRNet's stem holds its first stage, of bottlenecks: take it out, for it to become HR blocks."""
    left_out = [name for name in TOGETHER if name in without]
    if left_out and len(left_out) < len(TOGETHER):
        message = f"rule {left_out[0]}: HRNet's stem holds its first stage, so stem, stage and blocks go together"
        raise SpecError(Problem(f"{message}; leave out all three, or none", "stem"))
    if not left_out:
        stem = vars(draft.original.stem)
        draft.stages.insert(0, [{"block": "cffn", "depth": stem["depth"], "width": stem["inner"]}])


def make_stem(draft: Draft) -> None:
    """Replace the stem; one that is an HR-stem already only gets narrower where the first stage is."""
    old, first = draft.data["stem"], draft.stages[0][0]["width"]
    written = getattr(draft.original.stem, "width", WIDTH)
    width = min(written, first)
    kept = {key: old[key] for key in ("norm", "activation") if key in old}
    draft.data["stem"] = {"stem": "hr", "width": width, **kept}
    narrowed = f"width: {written} became {width}, as the first stage's"
    if old["stem"] != "hr":
        # what HRNet's stem says of its bottlenecks is told where they go
        in_stage = ("inner", "depth") if draft.original.stem.has_own_width else ()
        gone = {key: value for key, value in old.items() if key not in ("stem", "width", *kept, *in_stage)}
        what = f"{old['stem']} became hr" + (f", {narrowed}" if "width" in old and width != written else "")
        draft.note("stem", "stem", what, tell(gone))
    elif width != written:
        draft.note("stem", "stem", narrowed)
