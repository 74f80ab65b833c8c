"""Fusing a whole model, part by part."""

from __future__ import annotations

import copy
from typing import TypeVar, cast

import torch
from torch import nn

from ...errors import Problem, SpecError
from ..wired import Wired
from .draft import Draft
from .rules import RULES, RULES_OF_THE_HEAD

Model = TypeVar("Model", bound=nn.Module)


@torch.no_grad()
def fuse(model: Model) -> Model:
    """An equal model for inference, with fewer operations; the given one stays as it is.

    Batch norms and layer scales go into convolutions, an HR block's residual into its depthwise convolution, query, key
    and value into one product. The result is in eval mode and can't be trained or saved as the original's weights.
    The head's norm stays, as `forward_head` and others look behind it. So does a module that isn't the spec's own, or
    has hooks. Outputs agree to rounding: 1e-5 of the largest in float32, 1e-12 in float64. A model may also be part of
    another module, such as timm's wrappers for features. Raises SpecError where nothing was built from a spec.
    """
    if not isinstance(model, nn.Module) or not any(map(_is_part, model.modules())):
        message = f"a {type(model).__name__} was not built from a spec; give what hiri_spec.build gives"
        raise SpecError(Problem(message, "model"))
    fused = copy.deepcopy(model).eval()
    parts = [(name, cast(Wired, part)) for name, part in fused.named_modules() if _is_part(part)]
    for name, part in parts:
        draft = Draft(part)
        for rule in RULES_OF_THE_HEAD if name.rpartition(".")[2] == "head" else RULES:
            rule(draft)
        fused.set_submodule(name, draft.to_module())
    return fused.eval().requires_grad_(False)


def _is_part(module: nn.Module) -> bool:
    return isinstance(module, Wired) and module.part is not None
