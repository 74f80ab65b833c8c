"""Images of different sizes as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Batch:
    """Images normalised and padded to one size: `pixels` (B, 3, H, W); `sizes` are heights and widths before."""

    pixels: Tensor
    sizes: list[tuple[int, int]]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the whole batch."""
        height, width = self.pixels.shape[-2:]
        return height, width


def join(images: Sequence[Tensor], divisor: int) -> Batch:
    """Images (3, H, W) of 0 to 1 → a batch, padded on the right and below with black, then normalised.

    Sides become multiples of `divisor`. Not the other way round, as is the custom: a region of zeros stays zeros
    through convolutions without bias, and a layer norm that finds no variance multiplies gradients by up to a thousand.
    At random weights those of PVTv2, Swin and DaViT grew by 7 to 14 orders of magnitude (docs/dense.md).
    """
    sizes = [(image.shape[-2], image.shape[-1]) for image in images]
    height, width = (-(-max(sides) // divisor) * divisor for sides in zip(*sizes, strict=True))
    mean, std = (
        torch.tensor(values, dtype=torch.float32, device=images[0].device).view(3, 1, 1)
        for values in (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
    )
    padded = [functional.pad(image, (0, width - image.shape[-1], 0, height - image.shape[-2])) for image in images]
    return Batch((torch.stack(padded) - mean) / std, sizes)
