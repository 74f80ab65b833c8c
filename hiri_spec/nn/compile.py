"""ModelSpec → nn.Module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from ..block import Head, Part
from ..cost import MAX_MACS, MAX_OPERATIONS, MAX_PARAMS, check_affordable
from ..errors import Problem, SpecError
from ..files import SpecLike, as_spec
from ..graph import Shapes
from ..network import segments, trace_part
from ..schema import ModelSpec
from .backbone import Backbone, Stage, read_feature_info
from .initialise import initialise
from .realise import Rates
from .wired import Wired, wire_module


def build(
    spec: SpecLike,
    *,
    classes: int | None = None,
    in_channels: int | None = None,
    drop_path_rate: float | None = None,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    max_params: float = MAX_PARAMS,
    max_macs: float = MAX_MACS,
    max_operations: float = MAX_OPERATIONS,
) -> Backbone:
    """Compile a spec (a path, a built-in name, a dict or a ModelSpec) to a torch model.

    `classes` (0: no classifier), `in_channels` and `drop_path_rate` override the spec's. `features_only` gives the
    maps of all stages, or of `out_indices`, instead of scores. The image size is free: any of 32 pixels a side or more.
    Raises SpecError for a wrong spec, and before anything is built for one over `max_params`, `max_macs` or
    `max_operations`.
    """
    spec = _overridden(as_spec(spec), classes, in_channels, drop_path_rate)
    if out_indices is not None and not features_only:
        raise SpecError(Problem("only a model built with features_only=True has them", "out_indices"))
    check_affordable(spec, max_params=max_params, max_macs=max_macs, max_operations=max_operations)
    blocks = sum(run.depth for stage in spec.stages for run in stage)
    block = 0
    shape: Shapes = (spec.in_channels, *spec.size)
    stem: Wired | None = None
    head: Wired | None = None
    downsamples: dict[int, Wired] = {}
    runs: list[dict[str, nn.Sequential]] = [{} for _ in spec.stages]
    for segment in segments(spec):
        traced = trace_part(segment.part, shape, segment.channels)
        shape = traced.output_shape
        if segment.repeats is not None and segment.stage is not None:
            modules = []
            for index in range(block, block + segment.repeats):
                rate = spec.drop_path_rate * index / max(1, blocks - 1)
                modules.append(wire_module(traced, _title(segment.part), Rates(drop_path=rate)))
            block += segment.repeats
            runs[segment.stage][segment.scope.rsplit(".", 1)[1]] = nn.Sequential(*modules)
        elif segment.stage is not None:
            downsamples[segment.stage] = wire_module(traced, _title(segment.part), Rates())
        elif isinstance(segment.part, Head):
            head = wire_module(traced, _title(segment.part), Rates(dropout=getattr(segment.part, "drop_rate", 0.0)))
        else:
            stem = wire_module(traced, _title(segment.part), Rates())
    assert stem is not None  # a chain begins with the stem …
    assert head is not None  # … and ends with the head
    stages = [Stage(downsamples.get(index), own) for index, own in enumerate(runs)]
    taken = range(len(read_feature_info(spec))) if out_indices is None else out_indices
    model = Backbone(spec, stem, stages, head, taken if features_only else None)
    model.apply(initialise)
    if classes == 0 and not features_only:
        model.reset_classifier(0)
    return model


def _title(part: Part) -> str:
    return type(part).__name__


def override(spec: ModelSpec, argument: str, place: str, value: object) -> ModelSpec:
    """A spec with another value at a dotted path; what is wrong with it is told of the argument that gave it."""
    try:
        return as_spec(spec, set={place: value})
    except SpecError as error:
        raise SpecError(replace(each, path=argument, file="", line=None) for each in error.problems) from None


def _overridden(
    spec: ModelSpec, classes: int | None, in_channels: int | None, drop_path_rate: float | None
) -> ModelSpec:
    for argument, place, value in (
        ("classes", "head.classes", classes or None),
        ("in_channels", "in_channels", in_channels),
        ("drop_path_rate", "drop_path_rate", drop_path_rate),
    ):
        if value is not None:
            spec = override(spec, argument, place, value)
    return spec
