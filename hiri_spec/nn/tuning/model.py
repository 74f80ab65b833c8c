"""Tuning a whole model: each of its places is timed in every way, in turn, and gets the one that is fastest there."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from ...errors import Problem, SpecError, show
from ...network import Resolution, read_resolution
from ..backbone import Backbone, Stage
from ..cuda import time_on_cuda
from ..fusion import fuse
from ..timing import Call, Limits, TimeCall, interleave, time_call
from ..wired import Wired
from .choice import Choice, Tuning, choose
from .joining import FORMATS, Arrange, Layout, convert, list_ways

LIMITS = Limits(rounds=5, seconds=2.0)
TURN_SECONDS = 0.02
"""Of one place: three to five rounds, a turn of which holds quick blocks several times."""


@dataclass(slots=True)
class Place:
    """A run of blocks alike, or a single part, by the paths of their modules; `inputs` are those of the first."""

    name: str
    paths: list[str]
    inputs: tuple[Tensor, ...] = ()


@torch.no_grad()
def tune(
    model: Backbone,
    *,
    resolution: Resolution | None = None,
    batch: int = 1,
    tell: Callable[[str], None] = lambda step: None,
) -> Tuning:
    """Fuse a model, and compute each run of its blocks in the way that is measured fastest on its device.

    Tried are maps in contiguous and in channels-last layout, pointwise convolutions as such and as linear layers, and,
    in float32 on the CPU, convolutions with packed weights that sum and activate in passing. It is for images of
    `resolution` (the spec's, unless given) and batches of `batch`; others are computed as well. `tell` hears of each
    place. The given model stays as it is; the new one is for inference, on this device, and can't be exported or
    converted. Raises SpecError for a size that the spec refuses.
    """
    if not isinstance(model, Backbone):
        message = f"a {type(model).__name__} was not built from a spec; give what hiri_spec.build gives"
        raise SpecError(Problem(message, "model"))
    if not isinstance(batch, int) or batch < 1:
        raise SpecError(Problem(f"{show(batch)} is no number of images; use 1 or more", "batch"))
    tuned = fuse(model)
    like = next(tuned.parameters())
    images = torch.randn(batch, model.in_chans, *read_resolution(model.spec, resolution)).to(like.device, like.dtype)
    places = list(list_places(tuned))
    _record_inputs(tuned, places, images)
    ways = {way.name: way for way in list_ways(like.device, like.dtype)}
    timer = time_on_cuda if like.device.type == "cuda" else time_call
    times: list[dict[str, float]] = []
    entries: list[dict[str, float]] = []
    for place in places:
        tell(place.name)
        part = cast(Wired, tuned.get_submodule(place.paths[0]))
        calls: dict[str, Call] = {layout: _bind_entry(place, cast(Layout, layout)) for layout in FORMATS}
        for name, way in ways.items():
            calls[name] = _bind(convert(part, way, place.inputs), _arranged(place, way.layout))
        measured = _measure(calls, timer)
        entries.append({layout: measured.pop(layout) for layout in FORMATS})
        times.append(measured)
    chosen = choose([len(place.paths) for place in places], times, entries)
    choices = []
    for place, own, entry, name in zip(places, times, entries, chosen, strict=True):
        for path in place.paths:
            tuned.set_submodule(path, convert(cast(Wired, tuned.get_submodule(path)), ways[name], place.inputs))
        choices.append(Choice(place.name, len(place.paths), own, entry, name))
    return Tuning(tuned.eval(), tuple(choices))


def list_places(model: Backbone) -> Iterator[Place]:
    """The stem, downsamplings and runs of a model in the order of their execution; the head takes next to no time."""
    yield Place("stem", ["stem"])
    for number, stage in enumerate(model.stages):
        for name, child in cast(Stage, stage).named_children():
            path = f"stages.{number}.{name}"
            is_run = isinstance(child, nn.Sequential)
            yield Place(path, [f"{path}.{block}" for block, _ in child.named_children()] if is_run else [path])


def _record_inputs(model: Backbone, places: list[Place], images: Tensor) -> None:
    """Run the model once, and keep what the first module of each place is given."""
    hooks = []
    for place in places:

        def keep(module: nn.Module, inputs: tuple[Any, ...], place: Place = place) -> None:
            place.inputs = inputs[0] if isinstance(inputs[0], tuple) else inputs

        hooks.append(model.get_submodule(place.paths[0]).register_forward_pre_hook(keep))
    try:
        model(images)
    finally:
        for hook in hooks:
            hook.remove()


def _arranged(place: Place, layout: Layout) -> tuple[Tensor, ...]:
    return tuple(Arrange(layout)(each) for each in place.inputs)


def _bind(part: Wired, inputs: tuple[Tensor, ...]) -> Call:
    def run() -> None:
        with torch.inference_mode():
            part(inputs if len(inputs) > 1 else inputs[0])

    return run


def _bind_entry(place: Place, layout: Layout) -> Call:
    """Bring a place's maps into a layout from the other."""
    (other,) = (cast(Layout, each) for each in FORMATS if each != layout)
    inputs, arrange = _arranged(place, other), Arrange(layout)

    def run() -> None:
        for each in inputs:
            arrange(each)

    return run


def _measure(calls: dict[str, Call], timer: TimeCall) -> dict[str, float]:
    """Milliseconds of each call: the median over rounds in which all take their turn."""
    rounds = interleave(list(calls.values()), LIMITS, time_call=timer, turn_seconds=TURN_SECONDS)
    if rounds.was_interrupted:
        raise KeyboardInterrupt
    return {name: statistics.median(rounds.column(index)) * 1e3 for index, name in enumerate(calls)}
