"""Arbitrary valid networks over everything registered, small enough to be built, for property tests."""

from __future__ import annotations

from keyword import iskeyword
from typing import Any, Literal, get_args, get_origin

from hypothesis import strategies as st

from hiri_spec.block import RESERVED_NAMES, Block, Downsample, Head, Part, Stem
from hiri_spec.quantities import SMALLEST_SIDE
from hiri_spec.schema import ModelSpec

ODD_NAMES = ("null", "true", "yes", "on", "y", "e1", "blocks", "blocks_2", "items")
ODD_MODEL_NAMES = ("null", "True", "no", "1", "1e5", "0x1F", "0o17", "1.5", "2024-01-01", "hiri_s", "a-b.c", "1_000")
RUN_NAMES = (st.sampled_from(ODD_NAMES) | st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)).filter(
    lambda name: name not in RESERVED_NAMES and not iskeyword(name)
)
MODEL_NAMES = st.sampled_from(ODD_MODEL_NAMES) | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,12}", fullmatch=True)
DESCRIPTIONS = st.text(st.characters(codec="utf-8"), max_size=200)
RATES = st.just(0.0) | st.floats(0, 1, exclude_max=True)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "activation": st.sampled_from(("gelu", "relu", "silu")),
    "classes": st.integers(1, 12),
    "drop_rate": RATES,
    "expansion": st.sampled_from((1.0, 2.0, 4.0)) | st.floats(0.1, 4),
    "kernel": st.sampled_from((1, 3, 5)),
    "layer_scale": st.none() | st.floats(0, 1e3, exclude_min=True),
    "pool": st.none() | st.integers(1, 3),
    "window": st.integers(1, 8),
    "reduction": st.integers(1, 3),
}
"""Values of each field that is not a choice of words; a field of a new part that is not here keeps its default."""


def _gives_own_width(part: type[Part]) -> bool:
    return issubclass(part, Stem) and part.has_own_width


@st.composite
def parts(draw: st.DrawFn, family: type[Part], **given: Any) -> Any:
    """Any registered part of a family; `given` fixes fields, and those that a part doesn't have are left out."""
    usual = [name for name, part in family.registry.items() if not part.takes_streams and not _gives_own_width(part)]
    part = family.registry[draw(st.sampled_from(sorted(usual)))]
    values = {}
    for name, field in part.model_fields.items():
        if name in given:
            values[name] = given[name]
        elif name == "width":
            values[name] = draw(st.integers(1, given["max_width"]))
        elif name == "heads":
            values[name] = draw(st.sampled_from([heads for heads in (1, 2, 3, 4, 8) if given["width"] % heads == 0]))
        elif name != family.key and get_origin(field.annotation) is Literal:
            values[name] = draw(st.sampled_from(get_args(field.annotation)))
        elif name in VALUES and (field.is_required() or draw(st.booleans())):
            values[name] = draw(VALUES[name])
    if "pool" in values and "reduction" in values:
        del values["reduction"]
    if "pool_first" in part.model_fields and values["norm"] == "layer":
        values["pool_first"] = draw(st.booleans())
    return part(**values)


@st.composite
def stages_of(draw: st.DrawFn, first: bool, width: int, max_width: int, max_depth: int) -> tuple[Block, ...]:
    """One stage of one to three runs; the first stage and some of the others do not downsample."""
    downsample = None if first else draw(st.none() | parts(Downsample))
    if first or downsample is not None:
        width = draw(st.integers(1, max_width))
    count = draw(st.sampled_from((1, 1, 1, 2, 3)))
    names = draw(st.lists(st.none() | RUN_NAMES, min_size=count, max_size=count))
    runs = []
    for position, name in enumerate(names):
        runs.append(
            draw(
                parts(
                    Block,
                    width=width,
                    depth=draw(st.integers(1, max_depth)),
                    downsample=None if position else downsample,
                    name=None if name in names[:position] else name,
                )
            )
        )
    return tuple(runs)


@st.composite
def model_specs(
    draw: st.DrawFn,
    *,
    max_width: int = 32,
    max_depth: int = 2,
    max_stages: int = 4,
    min_side: int = SMALLEST_SIDE,
    max_side: int = 96,
) -> ModelSpec:
    """Any valid network of at most these sizes."""
    sides = st.integers(min_side, max_side)
    stages: list[tuple[Block, ...]] = []
    for index in range(draw(st.integers(1, max_stages))):
        width = stages[-1][0].width if stages else 0
        stages.append(draw(stages_of(index == 0, width, max_width, max_depth)))
    return ModelSpec(
        name=draw(MODEL_NAMES),
        description=draw(st.none() | DESCRIPTIONS),
        resolution=draw(sides | st.tuples(sides, sides)),
        in_channels=draw(st.sampled_from((1, 3, 4))),
        drop_path_rate=draw(RATES),
        stem=draw(parts(Stem, max_width=max_width)),
        stages=tuple(stages),
        head=draw(parts(Head)),
    )
