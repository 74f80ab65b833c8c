"""GradNorm score: how large the gradients of one batch are (Abdelfattah et al. 2021, arXiv 2101.08134)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hiri_spec import ModelSpec

from ..untrained import untrained, weights_of

IMAGES = 16
SIDE = 128
"""Pixels a side of the images: fewer than the search's, so that a score takes about a second."""
CLASSES = 10


class GradNorm:
    """The sum over all convolutions and linear layers of the Euclidean norm of their weight's gradient.

    One batch of sixteen images of white noise with labels drawn at random, where the paper takes a batch of training
    data; weights as they start, cross-entropy, batch norms with the batch's own statistics as in the paper.
    """

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """The score; higher means larger gradients."""
        with untrained(spec, seed, classes=CLASSES) as model:
            images = torch.randn(IMAGES, spec.in_channels, SIDE, SIDE)
            return sum_gradient_norms(model, images, torch.randint(CLASSES, (IMAGES,)))


def sum_gradient_norms(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Σ over layers of ‖∂ cross-entropy / ∂ weight‖₂, for images of (B, C, H, W) or (B, C) and labels of (B,)."""
    loss = nn.functional.cross_entropy(model(images), labels)
    gradients = torch.autograd.grad(loss, weights_of(model))
    return float(sum(gradient.double().norm() for gradient in gradients))
