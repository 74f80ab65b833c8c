"""What timm keeps beside a model: the images it takes, and the names of its first and last layers."""

from __future__ import annotations

from typing import Any

from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.models import PretrainedCfg

from .. import ops
from ..graph import Graph
from ..network import graph
from ..schema import ModelSpec

CROP = 0.9
"""Share of an image that evaluation looks at, PVTv2's; a spec says nothing about it."""


def describe(spec: ModelSpec) -> PretrainedCfg:
    """timm's configuration of a spec's model, without weights.

    Images of three channels are normalised as for ImageNet, others to [-1, 1].
    """
    traced = graph(spec)
    channels = spec.in_channels
    is_rgb = channels == 3
    names = find_first_convs(traced)
    first: Any = names[0] if len(names) == 1 else tuple(names) or None  # timm takes several, whatever it declares
    return PretrainedCfg(
        input_size=(channels, *spec.size),
        pool_size=find_pool_size(traced),
        mean=IMAGENET_DEFAULT_MEAN if is_rgb else (0.5,) * channels,
        std=IMAGENET_DEFAULT_STD if is_rgb else (0.5,) * channels,
        interpolation="bicubic",
        crop_pct=CROP,
        num_classes=spec.head.classes,
        first_conv=first,
        classifier="head.fc",
        description=spec.description,
    )


def find_pool_size(traced: Graph) -> tuple[int, ...] | None:
    """Height and width of the map that the head pools; None if it pools none."""
    pools = [node.input_shapes[0] for node in traced if isinstance(node.op, ops.GlobalPool)]
    return pools[-1][1:] if pools else None


def find_first_convs(traced: Graph) -> list[str]:
    """Names of the convolutions that take the image itself, padded or not."""
    image = set(traced.inputs)
    found = []
    for index, node in enumerate(traced.nodes):
        if image.isdisjoint(node.inputs):
            continue
        if isinstance(node.op, ops.Conv):
            found.append(node.name)
        elif isinstance(node.op, ops.Pad):
            image.add(index)
    return found
