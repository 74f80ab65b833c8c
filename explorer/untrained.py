"""Networks as they start, for the scores that need no training: what is drawn for them is nobody else's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from hiri_spec import ModelSpec, build
from hiri_spec.nn.attention import ChannelAttention, DotProductAttention, WindowAttention
from hiri_spec.nn.backbone import Backbone
from hiri_spec.nn.wired import Wired

LAYERS = (nn.Conv2d, nn.Linear)
"""The modules whose weights the papers look at."""
ACTIVATIONS = (nn.GELU, nn.ReLU, nn.SiLU)
AVERAGED = {DotProductAttention: 2, WindowAttention: 2, ChannelAttention: 0}
"""Which of its three inputs an attention takes means of; the two others say how each of them weighs."""


@contextmanager
def untrained(spec: ModelSpec, seed: int, *, classes: int | None = None) -> Iterator[Backbone]:
    """Build a network, in training mode and without drop path; `classes` are the spec's unless given, 0 for none.

    Inside, gradients are on and torch's generator starts at `seed`, for weights and images alike; afterwards both,
    and the generators of GPUs all along, are as they were.
    """
    with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs too
        yield build(spec, classes=classes, drop_path_rate=0.0).train()


def weights_of(model: nn.Module) -> list[Tensor]:
    """The weights of its convolutions and linear layers, in the order of the modules."""
    return [layer.weight for layer in model.modules() if isinstance(layer, LAYERS)]


def parts_of(model: Backbone) -> Iterable[Wired]:
    """The stem, each downsampling and each block, which an image goes through one after the other."""
    yield model.stem
    for stage in model.stages:
        for child in stage.children():
            for part in child if isinstance(child, nn.Sequential) else [child]:
                yield cast(Wired, part)
