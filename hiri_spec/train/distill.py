"""EMA distillation: the moving average of a network, and what the network learns from it."""

from __future__ import annotations

import torch
from timm.utils import ModelEmaV3
from torch import Tensor, nn
from torch.nn import functional

from .recipe import Distillation


class Teacher:
    """The moving average of a network's parameters and buffers, in eval mode and out of reach of any gradient.

    Parameters and batch norm's statistics are averaged alike, so that the statistics stay those of the averaged
    weights; counters are copied. The average begins as a copy of the network.
    """

    def __init__(self, model: nn.Module, settings: Distillation) -> None:
        self._average = ModelEmaV3(
            model,
            decay=settings.decay,
            use_warmup=settings.decay_warmup,
            warmup_power=settings.decay_warmup_power,
        )
        self._average.requires_grad_(requires_grad=False)
        self._temperature = settings.temperature

    @property
    def model(self) -> nn.Module:
        """The averaged network."""
        module: nn.Module = self._average.module
        return module

    def update(self, model: nn.Module, step: int) -> None:
        """Move on to the network after `step` steps of the optimizer, counted from 1."""
        self._average.update(model, step)

    @torch.no_grad()
    def score(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) → the average's scores (B, classes). No random number is drawn."""
        scores: Tensor = self.model(images)
        return scores.float()

    def divergence(self, scores: Tensor, teacher_scores: Tensor) -> Tensor:
        """How far scores (B, classes) are from the teacher's: see `divergence`."""
        return divergence(scores, teacher_scores, self._temperature)


def divergence(scores: Tensor, teacher_scores: Tensor, temperature: float) -> Tensor:
    """Kullback-Leibler divergence of the probabilities of scores (B, classes) from a teacher's, a mean over images.

    Both scores are divided by the temperature before; times its square, gradients keep their size (Hinton et al. 2015).
    """
    own = functional.log_softmax(scores / temperature, dim=1)
    target = functional.log_softmax(teacher_scores / temperature, dim=1)
    return functional.kl_div(own, target, log_target=True, reduction="batchmean") * temperature**2
