"""What a whole detector or segmenter costs for one image: backbone, neck and head, without any data or weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..cost import part_cost
from ..errors import Problem, SpecError
from ..files import SpecLike
from ..graph import Shapes
from ..network import segments
from ..nn.backbone import Backbone
from ..nn.bench.models import tell
from ..quantities import LARGEST_IMAGE_SIDE, SMALLEST_SIDE, format_resolution
from ..schema import ModelSpec
from .assembly import check_host, find_origin, put_on
from .counting import OperatorCounter, PartCount
from .maps import Maps, make_maps
from .task import Task


@dataclass(frozen=True, slots=True)
class DensePart:
    """One part's parameters and multiply-adds."""

    name: str
    params: int
    macs: int


@dataclass(frozen=True, slots=True)
class DenseCost:
    """What a network under a head costs for one image of a `size` (height, width), which is `padded_size` in a batch.

    `parts` are the backbone, the neck and the head. `given` are numbers that depend on the image and were taken as
    usual. Reading `regions` off the maps takes `interpolation_macs`, which are in no other figure, as in the papers.
    `training_params` are those of parts that learn and don't answer, in no other figure either. `strides` feed the
    neck; stages of the strides `left_out` feed nothing and are not built.
    """

    name: str
    task: Task
    size: tuple[int, int]
    padded_size: tuple[int, int]
    parts: tuple[DensePart, ...]
    strides: tuple[int, ...]
    left_out: tuple[int, ...]
    given: Mapping[str, int]
    regions: int
    interpolation_macs: int
    training_params: int

    @property
    def params(self) -> int:
        """Parameters of all parts."""
        return sum(part.params for part in self.parts)

    @property
    def macs(self) -> int:
        """Multiply-adds of all parts."""
        return sum(part.macs for part in self.parts)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "head": self.task.head,
            "host": self.task.own_host,
            "classes": self.task.classes,
            "size": list(self.size),
            "padded_size": list(self.padded_size),
            "strides": list(self.strides),
            "left_out": list(self.left_out),
            "params": self.params,
            "macs": self.macs,
            "parts": [{"name": part.name, "params": part.params, "macs": part.macs} for part in self.parts],
            "given": dict(self.given),
            "regions": self.regions,
            "interpolation_macs": self.interpolation_macs,
            "training_params": self.training_params,
        }


def dense_cost(network: SpecLike, task: Task, size: tuple[int, int]) -> DenseCost:
    """The cost of a spec (a path, a built-in name, a dict, a ModelSpec) or one of timm's models by name under a head.

    It is for one image of a size (height, width).
    Raises SpecError for a size or a task that is no good, where the head's host is not installed, and for an operator
    that nobody can count.
    """
    check_sides(size)
    check_host(task)
    origin = find_origin(network)
    name = origin if isinstance(origin, str) else origin.name
    with torch.device("meta"):
        maps = make_maps(origin, task)
    model = put_on(maps, task).to("meta").eval().requires_grad_(requires_grad=False)
    height, width = (-(-side // model.divisor) * model.divisor for side in size)
    counter = OperatorCounter()
    with torch.no_grad():
        backbone, given_maps = count_backbone(name, maps, (height, width), counter)
        with counter:
            given = model.run_for_cost(given_maps, (height, width), counter.part)
    neck, head = counter.parts.get("neck", PartCount()), counter.parts.get("head", PartCount())
    read = {**neck.parameters, **head.parameters}
    own = {id(parameter) for parameter in maps.parameters()}
    unread = [parameter for parameter in model.parameters() if id(parameter) not in read.keys() | own]
    return DenseCost(
        name=name,
        task=task,
        size=size,
        padded_size=(height, width),
        parts=(
            backbone,
            DensePart("neck", neck.params, neck.macs),
            DensePart("head", head.params, head.macs),
        ),
        strides=maps.strides,
        left_out=maps.left_out,
        given=given,
        regions=neck.regions + head.regions,
        interpolation_macs=neck.interpolation_macs + head.interpolation_macs,
        training_params=sum(parameter.numel() for parameter in unread),
    )


def count_backbone(
    name: str, maps: Maps, size: tuple[int, int], counter: OperatorCounter
) -> tuple[DensePart, tuple[Tensor, ...]]:
    """Cost of a backbone on the meta device, and the maps that it gives: ours by its graph, timm's by the counter."""
    image = torch.empty(1, 3, *size, device="meta")
    params = sum(parameter.numel() for parameter in maps.parameters())
    if isinstance(maps.network, Backbone):
        params, macs = count_stages(maps.network.spec, size)
        return DensePart("backbone", params, macs), maps(image)
    try:
        with counter, counter.part("backbone") as counted:
            given = maps(image)
    except SpecError:
        raise
    except Exception as error:
        message = f"timm's {name} doesn't run at {format_resolution(size)}: {tell(error)}; use another network"
        raise SpecError(Problem(message, "--size", code="resolution")) from error
    return DensePart("backbone", params, counted.macs), given


def count_stages(spec: ModelSpec, size: tuple[int, int]) -> tuple[int, int]:
    """Parameters and multiply-adds of a spec's stem and stages, without its head."""
    params = macs = 0
    shape: Shapes = (spec.in_channels, *size)
    for segment in segments(spec):
        if segment.part is spec.head:
            break
        one = part_cost(segment.part, shape, segment.channels)
        repeats = segment.repeats or 1
        params, macs, shape = params + repeats * one.params, macs + repeats * one.macs, one.output
    return params, macs


def check_sides(size: tuple[int, int]) -> None:
    """Raise SpecError for an image that nothing can be found in, or that is none."""
    for side in size:
        if not SMALLEST_SIDE <= side <= LARGEST_IMAGE_SIDE:
            message = f"{side} is no side of an image; use {SMALLEST_SIDE} to {LARGEST_IMAGE_SIDE:,} pixels"
            raise SpecError(Problem(message, "--size", code="size"))
