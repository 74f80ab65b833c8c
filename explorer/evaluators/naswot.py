"""NASWOT score: how differently an untrained network sees different images (Mellor et al. 2021, arXiv 2006.04647)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hiri_spec import ModelSpec, SpecError
from hiri_spec.errors import Problem

from ..untrained import ACTIVATIONS, untrained

IMAGES = 16
SIDE = 160
"""Pixels a side of the images: fewer than the search's, so that a score takes a fraction of a second."""


class Naswot:
    """log |det K|, where K counts, for each two images, the activations that take the same sign for both.

    Sixteen images of white noise, weights as they start, batch norms with the batch's own statistics (those that
    they start with would leave the scale of each map to chance). Read it with care: on maps as large as here such
    images are told apart by every network, and what is left is how many activations there are. Over 300 networks of
    4.5 to 5 GMACs the score was 16 log(activations) - 8.37 ± 0.05 (docs/search.md).
    """

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """The score; higher means that the images are told apart better. Raises SpecError without activations."""
        with untrained(spec, seed, classes=0) as model, torch.no_grad():
            activations = [module for module in model.modules() if isinstance(module, ACTIVATIONS)]
            if not activations:
                raise SpecError(Problem(f"{spec.name} has no activations to look at", "--evaluator"))
            kernel = torch.zeros(IMAGES, IMAGES, dtype=torch.float64)

            def count_agreements(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
                code = (inputs[0] > 0).flatten(1).float()
                kernel.add_(code @ code.T + (1 - code) @ (1 - code).T)

            for module in activations:
                module.register_forward_pre_hook(count_agreements)
            model(torch.randn(IMAGES, spec.in_channels, SIDE, SIDE))
            return float(torch.linalg.slogdet(kernel).logabsdet)
