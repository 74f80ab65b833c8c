"""MeCo score: how little the channels of each map repeat one another (Jiang et al. 2023, NeurIPS)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hiri_spec import ModelSpec

from ..untrained import untrained

IMAGES = 2
CHANNELS = 8


class MeCo:
    """The sum over layers of λ C / 8, λ the least eigenvalue of the Pearson correlations of 8 of a map's C channels.

    This is the paper's MeCo_opt: with all channels, λ is 0 wherever a map has more channels than positions, which
    here is most of the later stages. The maps are those that convolutions give. Two images of white noise of the
    spec's own size, as a map's positions decide what λ can be, and the mean over the two, where the paper takes one:
    a batch norm in training has no statistics of a single position. A channel that is the same everywhere
    correlates with none, itself included, as in the authors' code.
    """

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """The score; higher means more channels that tell more."""
        score = 0.0

        def look(module: nn.Module, inputs: tuple[Tensor, ...], maps: Tensor) -> None:
            nonlocal score
            channels = maps.shape[1]
            chosen = torch.randperm(channels)[:CHANNELS]
            score += float(least_eigenvalues(maps[:, chosen]).mean()) * channels / CHANNELS

        with untrained(spec, seed, classes=0) as model, torch.no_grad():
            for module in model.modules():
                if isinstance(module, nn.Conv2d):
                    module.register_forward_hook(look)
            model(torch.randn(IMAGES, spec.in_channels, *spec.size))
        return score


def least_eigenvalues(maps: Tensor) -> Tensor:
    """Of the correlations between channels over the positions of (B, C, H, W) maps, the least eigenvalue: (B,)."""
    values = maps.flatten(2).double()
    values = values - values.mean(2, keepdim=True)
    values = nn.functional.normalize(values, dim=2)
    return torch.linalg.eigvalsh(values @ values.transpose(1, 2))[:, 0]
