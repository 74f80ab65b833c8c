"""EMA distillation: the moving average of a network, and what the network learns from it."""

from __future__ import annotations

import torch
from timm.utils import ModelEmaV3
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from .plan import Distillation


class Teacher:
    """The moving average of a network's parameters and buffers, in eval mode and out of reach of any gradient.

    Parameters and batch norm's statistics are averaged alike, counters are copied; the average begins as a copy of the
    network. Once the network changes slowly, the averaged statistics are those of the averaged weights. Before that
    they are not: they lag behind running means that lag behind the weights. So the teacher doesn't use them: its batch
    norms normalise each batch by the batch's own statistics, as those of the network do while it learns.
    """

    def __init__(self, model: nn.Module, settings: Distillation) -> None:
        self._average = ModelEmaV3(
            model,
            decay=settings.decay,
            use_warmup=settings.decay_warmup,
            warmup_power=settings.decay_warmup_power,
        )
        self._average.requires_grad_(requires_grad=False)
        self._norms = [norm for norm in self._average.modules() if isinstance(norm, _BatchNorm)]
        for norm in self._norms:
            norm.track_running_stats = False  # they change by averaging alone; in eval mode they are used all the same
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
        """Images (B, C, H, W) → the average's scores (B, classes), normalised by the batch's statistics.

        No random number is drawn, and no running mean moves.
        """
        for norm in self._norms:
            norm.train()
        try:
            scores: Tensor = self.model(images)
        finally:
            for norm in self._norms:
                norm.eval()
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
