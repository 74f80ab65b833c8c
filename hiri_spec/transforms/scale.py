"""The design of HIRI-ViT as rules that take any network to a higher resolution (Yao et al. 2024, section 3).

With one more stage in front, each old stage sees the map sizes it saw before, so that the cost is about kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from ..errors import Problem, SpecError, suggest
from ..files import SpecLike, as_spec
from ..network import Resolution, read_resolution
from ..quantities import format_resolution
from ..schema import ModelSpec
from .draft import Draft, Scaled, finish
from .rules import APPLY, RULES
from .rules.stem import unpack_stem


def scale_up(spec: SpecLike, *, resolution: Resolution = 448, without: Sequence[str] = ()) -> ModelSpec:
    """The spec of a network for a higher resolution at about the old cost; `without` names rules to leave out.

    Raises SpecError for a resolution not above the spec's own, an unknown rule, or a network that a rule can't serve.
    """
    return scale(spec, resolution=resolution, without=without).spec


def scale(spec: SpecLike, *, resolution: Resolution = 448, without: Sequence[str] = ()) -> Scaled:
    """As `scale_up`, with what changed and why."""
    original = as_spec(spec)
    size = read_resolution(original, resolution)
    unknown = [name for name in without if name not in RULES]
    if unknown:
        raise SpecError(Problem(f"unknown rule {unknown[0]!r}; {suggest(unknown[0], RULES)}", "--without"))
    ratio = min(new / old for new, old in zip(size, original.size, strict=True))
    if ratio <= 1:
        message = (
            f"{format_resolution(size)} is not above the spec's own {format_resolution(original.size)}; ask for more"
        )
        raise SpecError(Problem(message, "resolution"))
    draft = Draft.of(original)
    draft.added = 0 if "stage" in without else max(1, round(log2(ratio)))
    if original.stem.has_own_width:
        unpack_stem(draft, without)
    for name, apply in APPLY.items():
        if name not in without:
            apply(draft)
    side = size[0] if size[0] == size[1] else list(size)
    # `resolution` may not be written: put it behind the name all the same
    draft.data = {"name": "", "resolution": 0} | draft.data
    name = original.name.removesuffix(f"_{format_resolution(original.size)}")
    draft.data |= {"name": f"{name}_{format_resolution(size)}", "resolution": side}
    sizes = f"{format_resolution(original.size)} to {format_resolution(size)}"
    header = f"{original.name} taken from {sizes} by hiri-spec scale; comments name the rules and what they changed."
    if draft.data.pop("description", None) is not None:
        header += " The description is left out."
    return finish(draft, header)
