"""The goal of detection and segmentation: the head's losses, average precision or intersection over union."""

from __future__ import annotations

from pathlib import Path

from accelerate import Accelerator
from torch import Tensor, nn

from ..train.distill import Teacher
from ..train.goal import Batches, Figures, Goal
from .evaluation import evaluate_scenes, without_nan
from .heads import Head
from .scenes import Target
from .weights import DenseBelongings, save_dense

Batch = tuple[list[Tensor], list[Target]]
SCORES = {"boxes": ("AP", "AP"), "masks": ("mask_AP", "mask AP"), "segmentation": ("mIoU", "mIoU")}
"""The figure by which the best weights are known, and what people call it, by what a head finds."""


def score_of(head: Head) -> tuple[str, str]:
    """The figure that counts for a head, and what people call it."""
    return SCORES[head.kind]


class DenseGoal(Goal):
    """Images to objects or pixel classes. The loss of a step is the sum of the head's own."""

    def __init__(self, belongings: DenseBelongings, validation: Batches, accelerator: Accelerator) -> None:
        self._belongings, self._validation, self._accelerator = belongings, validation, accelerator
        self._head = belongings.task.kind
        self.score, self.score_label = score_of(self._head)

    def compute_loss(
        self, model: nn.Module, batch: tuple[list[Tensor], list[Target]], teacher: Teacher | None
    ) -> Tensor:
        losses: dict[str, Tensor] = model(*batch)
        return sum(losses.values(), start=batch[0][0].new_zeros(()))

    def evaluate(self, model: nn.Module) -> Figures:
        classes = self._belongings.task.classes
        return without_nan(evaluate_scenes(model, self._validation.epoch(0), self._head, classes, self._accelerator))

    def save(self, model: nn.Module, folder: Path) -> None:
        save_dense(model, self._belongings, folder)
