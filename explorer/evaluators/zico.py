"""ZiCo score: how steady a network's first gradients are from batch to batch (Li et al. 2023, arXiv 2301.11300)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem

from ..untrained import untrained, weights_of

BATCHES = 4
IMAGES = 4
SIDE = 128
"""Pixels a side of the images: fewer than the search's, so that a score takes about a second."""
CLASSES = 10


class ZiCo:
    """Over all layers, the sum of log Σ |gradient| / deviation: each weight's mean and standard deviation over batches.

    Four batches of four images of white noise with labels drawn at random, weights as they start, cross-entropy.
    Weights whose gradient never changes are left out, and so are layers that have no others. Measured in
    docs/search.md.
    """

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """The score; higher means more and larger layers of steadier gradients.

        Raises SpecError for a network without a layer whose gradients can be compared.
        """
        with untrained(spec, seed, classes=CLASSES) as model:
            weights = weights_of(model)
            batches = [self._gradients(model, weights, spec.in_channels) for _ in range(BATCHES)]
        steadiness = [self._steadiness(layer) for layer in zip(*batches, strict=True)]
        compared = [value.log() for value in steadiness if value > 0]
        if not compared:
            raise SpecError(Problem(f"{spec.name} has no gradients to compare", "--evaluator"))
        return float(torch.stack(compared).sum())

    def _gradients(self, model: nn.Module, weights: list[Tensor], channels: int) -> tuple[Tensor, ...]:
        images = torch.randn(IMAGES, channels, SIDE, SIDE)
        loss = nn.functional.cross_entropy(model(images), torch.randint(CLASSES, (IMAGES,)))
        return torch.autograd.grad(loss, weights)

    def _steadiness(self, gradients: tuple[Tensor, ...]) -> Tensor:
        mean = sum(gradients, torch.zeros(())) / BATCHES
        # written out: torch.std over so short a dimension takes fifty times as long
        squares = sum(((gradient - mean).square_() for gradient in gradients), torch.zeros(()))
        deviation = squares.div_(BATCHES).sqrt_()
        size = sum((gradient.abs() for gradient in gradients), torch.zeros(())) / BATCHES
        varies = deviation > 0
        return (size[varies] / deviation[varies]).double().sum()
