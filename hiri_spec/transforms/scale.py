"""The design of HIRI-ViT as rules that take any network to a higher resolution (Yao et al. 2024, section 3).

With one more stage in front, each old stage sees the map sizes it saw before, so that the cost is about kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import ceil, log2, sqrt

from ..errors import Problem, SpecError, show, suggest
from ..files import SpecLike, as_spec
from ..network import Resolution, read_resolution
from ..quantities import format_resolution
from ..schema import ModelSpec
from .draft import Draft, Scaled, finish
from .rules import APPLY, RULES
from .rules.stem import TOGETHER, unpack_stem


def scale_up(spec: SpecLike, *, resolution: Resolution = 448, without: str | Sequence[str] = ()) -> ModelSpec:
    """The spec of a network for a higher resolution at about the old cost; `without` names rules to leave out.

    Raises SpecError for a resolution not above the spec's own, or too little above it for a stage more, an unknown
    rule, or a network that a rule can't serve.
    """
    return scale(spec, resolution=resolution, without=without).spec


def scale(spec: SpecLike, *, resolution: Resolution = 448, without: str | Sequence[str] = ()) -> Scaled:
    """As `scale_up`, with what changed and why."""
    original = as_spec(spec)
    size = read_resolution(original, resolution)
    left_out = read_rules(without)
    draft = Draft.of(original)
    draft.added = _count_doublings(original, size, left_out)
    if original.stem.has_own_width:
        unpack_stem(draft, left_out)
    for name, apply in APPLY.items():
        if name not in left_out:
            apply(draft)
    name = original.name.removesuffix(f"_{format_resolution(original.size)}")
    side = size[0] if size[0] == size[1] else list(size)
    # `resolution` may not have been written: it stands behind the name all the same
    draft.data = {"name": "", "resolution": 0} | draft.data
    draft.data |= {"name": f"{name}_{format_resolution(size)}", "resolution": side}
    if draft.added:
        _tell_maps(draft, size)
    sizes = f"{format_resolution(original.size)} to {format_resolution(size)}"
    header = f"{original.name} taken from {sizes} by hiri-spec scale; comments name the rules and what they changed."
    if draft.data.pop("description", None) is not None:
        header += " The description is left out."
    return finish(draft, header)


def read_rules(names: str | Sequence[str]) -> frozenset[str]:
    """Names of rules, or one text with commas between them; raises SpecError for an unknown one."""
    if isinstance(names, str):
        names = [name for name in map(str.strip, names.split(",")) if name]
    for name in names:
        if name not in RULES:
            raise SpecError(Problem(f"unknown rule {show(name)}; {suggest(name, RULES)}", "without"))
    return frozenset(names)


def _count_doublings(original: ModelSpec, size: tuple[int, int], without: Collection[str]) -> int:
    """How many stages go in front: doublings of the side that grows least, to the nearest whole number."""
    old, new = format_resolution(original.size), format_resolution(size)
    ratio = min(_ratios(original, size))
    if ratio <= 1:
        raise SpecError(Problem(f"{new} is not above the spec's own {old}; ask for more", "resolution"))
    if "stage" in without:
        return 0
    if ratio < sqrt(2):
        enough = format_resolution((ceil(original.size[0] * sqrt(2)), ceil(original.size[1] * sqrt(2))))
        alone = "stage" if not original.stem.has_own_width else ",".join(TOGETHER)
        message = f"rule stage: {new} is {ratio:.2f} x the spec's own {old}, too little to halve the maps once more"
        raise SpecError(Problem(f"{message}; ask for {enough} or more, or leave it out: without {alone}", "resolution"))
    return round(log2(ratio))


def _ratios(original: ModelSpec, size: tuple[int, int]) -> list[float]:
    return [new / old for new, old in zip(size, original.size, strict=True)]


def _tell_maps(draft: Draft, size: tuple[int, int]) -> None:
    """Where the sides do not grow by powers of two, say how the old stages' maps compare."""
    now = [f"{ratio / 2**draft.added:.2f}" for ratio in _ratios(draft.original, size)]
    if set(now) != {"1.00"}:
        sides = f"{now[0]} x the sides" if now[0] == now[1] else f"{now[0]} x the height and {now[1]} x the width"
        stages = "one stage" if draft.added == 1 else f"{draft.added} stages"
        draft.note("resolution", "stage", f"{stages} more, so the old ones see maps of {sides} they saw")
