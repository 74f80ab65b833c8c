"""Images mixed in pairs, and class indices → the probabilities to learn."""

from __future__ import annotations

from timm.data import FastCollateMixup
from timm.data.loader import fast_collate
from timm.data.mixup import mixup_target
from torch import Tensor

from ..augmentation import Augmentation
from .randomness import MIXING, seeded


def stack(batch: list[tuple[Tensor, int]], epoch: int, number: int) -> tuple[Tensor, Tensor]:
    """Bytes (C, H, W) with class indices → bytes (B, C, H, W) with class indices (B,), as they are."""
    stacked: tuple[Tensor, Tensor] = fast_collate(batch)
    return stacked


class Mixing:
    """timm's Mixup and CutMix of the images of a batch, as bytes, and of their smoothed targets.

    The random numbers depend on the batch alone, so that all processes that have a part of it mix alike.
    """

    def __init__(self, augmentation: Augmentation, classes: int, seed: int) -> None:
        self._seed, self._classes, self._smoothing = seed, classes, augmentation.label_smoothing
        self._mixup = (
            FastCollateMixup(
                mixup_alpha=augmentation.mixup,
                cutmix_alpha=augmentation.cutmix,
                prob=augmentation.mixing,
                switch_prob=augmentation.cutmix_share,
                label_smoothing=augmentation.label_smoothing,
                num_classes=classes,
            )
            if augmentation.is_mixed
            else None
        )

    def __call__(self, batch: list[tuple[Tensor, int]], epoch: int, number: int) -> tuple[Tensor, Tensor]:
        """Bytes (C, H, W) with class indices → bytes (B, C, H, W) with probabilities (B, classes)."""
        if self._mixup is None:
            images, targets = fast_collate(batch)
            return images, mixup_target(targets, self._classes, smoothing=self._smoothing)
        with seeded(self._seed, epoch, MIXING, number):
            mixed: tuple[Tensor, Tensor] = self._mixup(batch)
        return mixed
