"""What every data set is here: images that are found by number, each with its class."""

from __future__ import annotations

import struct
import zlib
from abc import abstractmethod
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError
from torch.utils.data import Dataset

UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)
"""What Pillow raises of files that are no image, or not all of one."""
MODES = {1: "L", 3: "RGB"}
"""Pillow's names of what has so many channels."""
SCALED_TO_16_BITS = ("PNG", "PPM")
"""Formats of which some version of Pillow gives 16 bits as 32, mode I; white is 65535 there as well."""
UNSCALED = {"I": "integers of 32 bits", "F": "floating-point numbers"}
"""Modes of numbers without a scale."""

Sample = tuple[Image.Image, int]


class ImageSet(Dataset[Sample]):
    """Images with the indices of their classes, in a fixed order; `class_names[index]` is what a class is called."""

    class_names: tuple[str, ...]
    in_channels: int

    @abstractmethod
    def __len__(self) -> int:
        """Number of images."""

    @abstractmethod
    def __getitem__(self, index: int) -> Sample:
        """Image and class index. Raises one of UNREADABLE where the image can't be read."""

    @abstractmethod
    def describe(self, index: int) -> str:
        """What to call an image in a message: its file, or its place."""


def decode(file: str | IO[bytes], in_channels: int) -> Image.Image:
    """Read the whole of an image, as grey (1 channel) or in colour (3)."""
    with Image.open(file) as image:
        return as_bytes(image).convert(MODES[in_channels])


def as_bytes(image: Image.Image) -> Image.Image:
    """An image of 16 bits with 8 in their place, as Pillow would cut all off that is brighter than 255; others as is.

    Raises ValueError for numbers of which nobody knows what white is.
    """
    is_wide = image.mode == "I" and image.format in SCALED_TO_16_BITS
    if image.mode.startswith("I;16") or is_wide:
        values = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if image.mode in UNSCALED:
        raise ValueError(f"its pixels are {UNSCALED[image.mode]}, without a white; save it with 8 or 16 bits")
    return image


def why_unreadable(error: BaseException) -> str:
    """What is wrong with an image, without what the message around it says anyhow."""
    if isinstance(error, UnidentifiedImageError):
        return "no image"
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
