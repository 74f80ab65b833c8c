"""Images with what is in them: what data sets give, heads learn from and predictions are.

Boxes are (N, 4) as x1, y1, x2, y2 in pixels, labels (N,) class indices counted from 0, masks (N, H, W) booleans, all of
one image (3, H, W); a map of classes is (H, W), with IGNORED where nobody says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

IGNORED = 255
"""In a map of classes: a pixel without one, which neither loss nor figures count."""


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of an image of a `size` (height, width); `masks` for those who learn them.

    `is_crowd` (N,) marks groups drawn as one: they are left out of training, and neither right nor wrong in evaluation.
    `areas` (N,) are those of the annotations in pixels, by which evaluation tells small from large.
    """

    size: tuple[int, int]
    boxes: Tensor
    labels: Tensor
    masks: Tensor | None = None
    is_crowd: Tensor | None = None
    areas: Tensor | None = None

    def to(self, device: torch.device | str) -> Self:
        """The same on a device."""
        return replace(
            self,
            boxes=self.boxes.to(device),
            labels=self.labels.to(device),
            masks=None if self.masks is None else self.masks.to(device),
            is_crowd=None if self.is_crowd is None else self.is_crowd.to(device),
            areas=None if self.areas is None else self.areas.to(device),
        )


@dataclass(frozen=True, slots=True)
class PixelClasses:
    """The class of each pixel of an image: `classes` (H, W) int64, IGNORED where there is none."""

    classes: Tensor

    def to(self, device: torch.device | str) -> Self:
        """The same on a device."""
        return replace(self, classes=self.classes.to(device))


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector sees in an image, the surest first; `scores` (N,) are 0 to 1, `masks` None without them."""

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    masks: Tensor | None = None


Target = Objects | PixelClasses
Answer = Found | PixelClasses
