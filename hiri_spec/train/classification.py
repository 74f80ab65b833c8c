"""The goal of classification: cross entropy, the teacher's word, and accuracies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from accelerate import Accelerator
from timm.loss import SoftTargetCrossEntropy
from torch import Tensor, nn

from .distill import Teacher
from .evaluation import evaluate
from .goal import Batches, Figures, Goal
from .networks import Network, save_weights
from .recipe import Recipe

LAYOUTS = {False: torch.contiguous_format, True: torch.channels_last}
Batch = tuple[Tensor, Tensor]


class Classification(Goal):
    """Images to classes. Losses are cross entropies in nats, means over a step's images."""

    score, score_label = "top1", "top-1"

    def __init__(self, recipe: Recipe, network: Network, validation: Batches, accelerator: Accelerator) -> None:
        self._network, self._validation, self._accelerator = network, validation, accelerator
        self._criterion = SoftTargetCrossEntropy()
        self._layout = LAYOUTS[recipe.channels_last]
        self._weight = recipe.distillation.weight

    def compute_loss(self, model: nn.Module, batch: Batch, teacher: Teacher | None) -> Tensor:
        images, targets = batch
        images = images.contiguous(memory_format=self._layout)
        scores = model(images)
        loss: Tensor = self._criterion(scores, targets)
        if teacher is not None:
            with self._accelerator.autocast():
                teacher_scores = teacher.score(images)
            loss = loss + self._weight * teacher.divergence(scores, teacher_scores)
        return loss

    def evaluate(self, model: nn.Module) -> Figures:
        scores = evaluate(model, self._held_out(), self._network.classes, self._accelerator)
        return {"loss": scores.loss, "top1": scores.top1, "top5": scores.top5}

    def _held_out(self) -> Iterator[Batch]:
        for images, targets in self._validation.epoch(0):
            yield images.contiguous(memory_format=self._layout), targets

    def save(self, model: nn.Module, folder: Path) -> None:
        save_weights(model, self._network, folder)
