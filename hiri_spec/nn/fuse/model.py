"""Fusing a whole model, part by part."""

from __future__ import annotations

import copy

import torch

from ...graph import Shapes
from ...network import segments, trace_part
from ..backbone import Backbone
from ..wired import Wired
from .draft import Draft
from .rules import RULES


@torch.no_grad()
def fuse(model: Backbone) -> Backbone:
    """An equal model for inference, with fewer operations; the given one stays as it is.

    Batch norms and layer scales go into convolutions, an HR block's residual into its depthwise convolution, query, key
    and value into one product. The result is in eval mode and can't be trained or saved as the original's weights.
    Outputs agree to rounding: 1e-5 of the largest in float32, 1e-12 in float64.
    """
    fused = copy.deepcopy(model).eval()
    spec = model.spec
    shape: Shapes = (spec.in_channels, *spec.size)
    names = {name for name, module in fused.named_modules() if isinstance(module, Wired)}
    for segment in segments(spec):
        traced = trace_part(segment.part, shape, segment.channels)
        shape = traced.output_shape
        for name in segment.module_names():
            if name in names:
                part = fused.get_submodule(name)
                assert isinstance(part, Wired)
                draft = Draft(traced, part)
                for rule in RULES:
                    rule(draft)
                fused.set_submodule(name, draft.to_module(part.title))
    return fused.eval().requires_grad_(False)
