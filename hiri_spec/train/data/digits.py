"""scikit-learn's scanned digits: 1,797 real images of 8 x 8 pixels, ten classes, nothing to download."""

from __future__ import annotations

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict

from ...errors import Problem, SpecError
from .images import MODES, ImageSet, Sample

HELD_OUT_EVERY = 5
"""One in so many of each class, in their order, is for validation: the same on every machine."""
_WHITE = 16


class DigitsOptions(BaseModel):
    """There is nothing to choose."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Digits(ImageSet):
    """The digits of a split, enlarged to a resolution (height, width) in pixels, upright in the middle of it.

    Raises SpecError where scikit-learn is not installed.
    """

    def __init__(self, split: str, options: DigitsOptions, resolution: tuple[int, int], in_channels: int) -> None:
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            message = "the digits come with scikit-learn, which is not installed; pip install 'hiri-spec[train]'"
            raise SpecError(Problem(message, file="digits", code="no_scikit_learn")) from None
        images, targets = load_digits(return_X_y=True)
        ranks = np.empty(len(targets), int)  # place of each image within its class
        for target in range(10):
            ranks[targets == target] = np.arange(np.sum(targets == target))
        is_held_out = ranks % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
        (self._numbers,) = np.nonzero(is_held_out if split == "validation" else ~is_held_out)
        self._images = np.rint(images[self._numbers].reshape(-1, 8, 8) * (255 / _WHITE)).astype(np.uint8)
        self._targets = targets[self._numbers]
        self._resolution = resolution
        self.class_names = tuple("0123456789")
        self.in_channels = in_channels

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, index: int) -> Sample:
        height, width = self._resolution
        side = min(height, width)
        digit = Image.fromarray(self._images[index]).resize((side, side), Image.Resampling.BICUBIC)
        if height != width:
            canvas = Image.new("L", (width, height))
            canvas.paste(digit, ((width - side) // 2, (height - side) // 2))
            digit = canvas
        return digit.convert(MODES[self.in_channels]), int(self._targets[index])

    def describe(self, index: int) -> str:
        return f"digit {self._numbers[index]} of scikit-learn's"
