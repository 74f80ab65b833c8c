"""Augmentation → what is done to each image, by timm's transforms. Images come out as bytes, (channels, height, width).

Whole batches are normalised later, where the network is: bytes take a quarter of the way there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from statistics import fmean
from typing import Any

import torch
from PIL import Image
from timm.data import create_transform
from timm.data.auto_augment import RandAugment
from torch import Tensor
from torchvision.transforms import Compose, RandomErasing

from ..augmentation import Augmentation
from .images import Sample

Transform = Callable[[Image.Image], Tensor]
ERASED_AREA = 0.02, 1 / 3
"""Smallest and largest share of an image that Random Erasing fills, as timm's."""
ERASED_RATIO = 0.3, 1 / 0.3
"""Least and most width over height of what it fills, as timm's."""


def make_transform(
    augmentation: Augmentation, resolution: tuple[int, int], *, in_channels: int = 3, is_training: bool
) -> Transform:
    """PIL image → bytes (in_channels, height, width) of a resolution in pixels, distorted by chance in training."""
    mean, std = normalisation(augmentation, in_channels)
    shared: dict[str, Any] = {
        "input_size": (in_channels, *resolution),
        "mean": mean,
        "std": std,
        "use_prefetcher": True,
    }
    interpolation = augmentation.interpolation
    if not is_training:
        return create_transform(
            **shared,
            is_training=False,
            interpolation="bilinear" if interpolation == "random" else interpolation,
            crop_pct=augmentation.crop_fraction,
        )
    transform = create_transform(
        **shared,
        is_training=True,
        scale=augmentation.crop_scale,
        ratio=augmentation.crop_ratio,
        hflip=augmentation.flip,
        vflip=augmentation.vertical_flip,
        color_jitter=augmentation.color_jitter,
        auto_augment=augmentation.rand_augment,
        interpolation=interpolation,
    )
    _keep_a_bit(transform)
    return Compose([transform, Erasing(augmentation.erasing, mean, std)]) if augmentation.erasing else transform


class OnImage:
    """A transform of the image alone, of an image and its class."""

    def __init__(self, transform: Transform) -> None:
        self._transform = transform

    def __call__(self, sample: Sample) -> tuple[Tensor, int]:
        image, target = sample
        return self._transform(image), target


def _keep_a_bit(transform: Compose) -> None:
    """Keep RandAugment from posterizing to 0 bits: Pillow 13 refuses that, and it was a black image before."""
    for step in transform.transforms:
        for distortion in step.ops if isinstance(step, RandAugment) else ():
            if distortion.name.startswith("Posterize"):
                distortion.level_fn = partial(_at_least_a_bit, distortion.level_fn)


def _at_least_a_bit(bits_of: Callable[..., tuple[int]], *level: object) -> tuple[int]:
    return (max(1, *bits_of(*level)),)


def normalisation(augmentation: Augmentation, in_channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel; a single channel gets the average of the three."""
    if in_channels == 1:
        return (fmean(augmentation.mean),), (fmean(augmentation.std),)
    return augmentation.mean, augmentation.std


class Erasing:
    """Random Erasing of an image of bytes, in place: noise as normalised images have it, cut off at black and white.

    timm erases whole batches on the device, one image by what the random numbers of those before it have left.
    """

    def __init__(self, probability: float, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self._probability = probability
        self._mean = 255 * torch.tensor(mean).view(-1, 1, 1)
        self._std = 255 * torch.tensor(std).view(-1, 1, 1)

    def __call__(self, image: Tensor) -> Tensor:
        if random.random() < self._probability:
            top, left, height, width, noise = RandomErasing.get_params(image, ERASED_AREA, ERASED_RATIO)
            if noise is not image:  # as it is where no box fits
                noise = noise.mul_(self._std).add_(self._mean).round_().clamp_(0, 255)
                image[:, top : top + height, left : left + width] = noise
        return image
