"""What every data set is here: images that are found by number, each with its class."""

from __future__ import annotations

import struct
import zlib
from abc import abstractmethod
from typing import IO

from PIL import Image, UnidentifiedImageError
from torch.utils.data import Dataset

UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)
"""What Pillow raises of files that are no image, or not all of one."""
MODES = {1: "L", 3: "RGB"}
"""Pillow's names of what has so many channels."""

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
        return image.convert(MODES[in_channels])


def why_unreadable(error: BaseException) -> str:
    """What is wrong with an image, without what the message around it says anyhow."""
    if isinstance(error, UnidentifiedImageError):
        return "no image"
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
