"""SynFlow score: how much flows through all weights together (Tanaka et al. 2020, arXiv 2006.05467)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem

from ..untrained import ACTIVATIONS, AVERAGED, parts_of, untrained, weights_of

SIDE = 224
"""Pixels a side of the image of ones. What flows out at the borders of maps depends on it, and little else: over 24
networks of 5 GMACs the ranks were those at 448 pixels but for a correlation of 0.999 (0.994 at 128)."""
LINEARISED = (nn.BatchNorm2d, nn.LayerNorm, nn.Dropout, *ACTIVATIONS)


class SynFlow:
    """log Σ |θ ∂R/∂θ| over the weights of convolutions and linear layers, R the sum of the logits for an image of ones.

    All weights are taken by their absolute value. The sum over a whole network, without batch norms, is Abdelfattah et
    al.'s (2021, arXiv 2101.08134); layer norms are left out alike, as either would take away the scale that is the
    score. What else departs from the papers: GELU and SiLU let through what ReLU lets through, which of values that
    are all positive is all, so that R is the papers' product of matrices; attention weighs all it sees alike, as
    softmax does where keys are equal, so that no flow goes through the layers of queries and keys (of keys and
    values, in attention over channels); and the score is the logarithm, in which the scale of each block is noted
    apart: twenty blocks overflow float32, and a hundred float64.
    """

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """The score; higher means more and wider paths. Raises SpecError where nothing flows."""
        with untrained(spec, seed) as model:
            score = measure_flow(model, torch.ones(1, spec.in_channels, SIDE, SIDE), parts_of(model))
        if score == -math.inf:
            raise SpecError(Problem(f"{spec.name} lets nothing through", "--evaluator"))
        return score


def measure_flow(model: nn.Module, image: Tensor, parts: Iterable[nn.Module] = ()) -> float:
    """log Σ |θ ∂R/∂θ| of a model for a (1, C, H, W) or (1, C) image of ones; the model is changed for good.

    `parts` are modules that everything goes through one after the other. What each gives is divided by its largest
    value, and the logarithm of that noted: as R is linear in it, so is every θ ∂R/∂θ. -inf where nothing flows.
    """
    _linearise(model)
    log_scale = 0.0

    def rescale(module: nn.Module, inputs: Any, output: Any) -> Any:
        nonlocal log_scale
        streams = output if isinstance(output, tuple) else (output,)
        largest = max(float(stream.detach().max()) for stream in streams)
        if not largest:
            return output
        log_scale += math.log(largest)
        streams = tuple(stream / largest for stream in streams)
        return streams if isinstance(output, tuple) else streams[0]

    for part in parts:
        part.register_forward_hook(rescale)
    weights = weights_of(model)
    gradients = torch.autograd.grad(model(image).sum(), weights, allow_unused=True)
    flows = [
        float((weight.detach() * gradient).double().sum())
        for weight, gradient in zip(weights, gradients, strict=True)
        if gradient is not None
    ]
    total = sum(flows)
    return math.log(total) + log_scale if total else -math.inf


def _linearise(model: nn.Module) -> None:
    """Make a model a product of its weights' absolute values."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LINEARISED):
                setattr(parent, name, nn.Identity())
            elif type(child) in AVERAGED:
                child.register_forward_pre_hook(_weigh_alike)


def _weigh_alike(attention: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Let an attention take plain means: scores of zero for all that it sees."""
    averaged = AVERAGED[type(attention)]
    return tuple(each if place == averaged else torch.zeros_like(each) for place, each in enumerate(inputs))
