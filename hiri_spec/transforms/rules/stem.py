"""Rule `stem`: the stem becomes an HR-stem; and HRNet's stem, which holds a first stage, gives it up."""

from __future__ import annotations

from collections.abc import Collection

from ...errors import Problem, SpecError
from ..draft import Draft

WIDTH = 32
"""Width inside the HR-stem of HIRI-ViT's calibrated networks; a narrower first stage has a stem as narrow."""


def unpack_stem(draft: Draft, without: Collection[str]) -> None:
    """HRNet's stem holds its first stage, of bottlenecks: take it out, for it to become HR blocks."""
    together = ("stem", "stage", "blocks")
    left_out = [name for name in together if name in without]
    if left_out and len(left_out) < len(together):
        message = f"rule {left_out[0]}: HRNet's stem holds its first stage, so stem, stage and blocks go together"
        raise SpecError(Problem(f"{message}; leave out all three, or none", "stem"))
    if not left_out:
        stem = draft.data["stem"]
        draft.stages.insert(0, [{"block": "cffn", "depth": stem.get("depth", 4), "width": stem.get("inner", 64)}])


def make_stem(draft: Draft) -> None:
    """Replace the stem."""
    old = draft.data["stem"]
    width = min(old.get("width", WIDTH), draft.stages[0][0]["width"])
    draft.data["stem"] = {"stem": "hr", "width": width}
    draft.note("stem", "stem", f"{old['stem']} became hr")
