"""How far what was exported is from its model, on real images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor, nn

from ..quantities import format_resolution
from .quiet import quiet

PICTURES = ("astronaut", "chelsea", "coffee", "rocket")
"""Photographs that scikit-image carries with it, none to be downloaded."""

Run = Callable[[Tensor], Sequence[Tensor]]


class ParityError(RuntimeError):
    """What was exported does not do what its model does."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest difference from the model's output, absolute and over the largest output, for one batch."""

    batch: int
    size: tuple[int, int]
    absolute: float
    relative: float

    def __str__(self) -> str:
        place = f"at {format_resolution(self.size)}, batch {self.batch}"
        return f"{self.relative:.1e} relative, {self.absolute:.1e} absolute ({place})"


def real_images(batch: int, channels: int, size: tuple[int, int]) -> Tensor:
    """Photographs, normalised like ImageNet, (batch, channels, height, width); past three, channels repeat."""
    from skimage import data

    mean, std = (torch.tensor(each).view(1, -1, 1, 1) for each in (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD))
    images = []
    for index in range(batch):
        picture = torch.from_numpy(getattr(data, PICTURES[index % len(PICTURES)])()).permute(2, 0, 1)[None] / 255
        resized = F.interpolate(picture, size, mode="bilinear", antialias=True, align_corners=False)
        images.append(((resized - mean) / std)[:, [channel % 3 for channel in range(channels)]])
    return torch.cat(images)


def compare(model: nn.Module, run: Run, images: Tensor) -> Difference:
    """The difference of `run` from a model on images; raises ParityError where one of them gives no usable numbers."""
    batch, size = images.shape[0], (images.shape[2], images.shape[3])
    place = f"at {format_resolution(size)}, batch {batch}"
    with torch.inference_mode():
        expected = as_tuple(model(images))
        try:
            got = tuple(run(images))
        except Exception as error:
            raise ParityError(f"it does not run {place}: {str(error).strip()}") from error
    if not all(each.isfinite().all() for each in expected):
        raise ParityError(f"the model itself gives numbers that are not finite {place}; give it other weights")
    shapes = [[tuple(each.shape) for each in outputs] for outputs in (expected, got)]
    if shapes[0] != shapes[1]:
        raise ParityError(f"it gives {shapes[1]} in place of {shapes[0]} {place}")
    absolute = [float((one - other).abs().max()) for one, other in zip(got, expected, strict=True)]
    largest = [float(each.abs().max()) for each in expected]
    relative = [error / most if most else error for error, most in zip(absolute, largest, strict=True)]
    # max() would lose numbers that are not finite
    return Difference(batch, size, _worst(absolute), _worst(relative))


def check(
    model: nn.Module, run: Run, batches: Iterable[Tensor], tolerance: float, tell: Callable[[str], None]
) -> list[Difference]:
    """Compare on several batches; raises ParityError that gives the worst difference if it is over the tolerance."""
    differences = []
    for images in batches:
        tell(f"checking at {format_resolution((images.shape[2], images.shape[3]))}, batch {images.shape[0]}")
        with quiet():
            differences.append(compare(model, run, images))
    worst = max(differences, key=lambda difference: difference.relative)
    if not worst.relative <= tolerance:
        raise ParityError(f"its output differs from the model's by {worst}, more than the tolerance of {tolerance:g}")
    return differences


def as_tuple(output: Any) -> tuple[Tensor, ...]:
    """A model's output, one tensor or several, as a tuple."""
    return (output,) if isinstance(output, Tensor) else tuple(output)


def _worst(values: Iterable[float]) -> float:
    return max(value if value == value else float("inf") for value in values)
