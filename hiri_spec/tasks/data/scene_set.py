"""What every data set of scenes is here: images that are found by number, each with what is in it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.v2.functional import pil_to_tensor

from ...train.data.images import as_bytes, decode
from ..scenes import Target


@dataclass(frozen=True, slots=True)
class Scene:
    """An image, bytes (3, H, W) of red, green, blue; what is in it; the number that its data set gives it."""

    image: Tensor
    target: Target
    image_id: int


class SceneSet(Dataset[Scene]):
    """Images with objects or pixel classes, in a fixed order; `class_names[index]` is what a class is called.

    `notes` are sentences for the user: what was left out, and why.
    """

    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @abstractmethod
    def __len__(self) -> int:
        """Number of images."""

    @abstractmethod
    def __getitem__(self, index: int) -> Scene:
        """One scene. Raises one of UNREADABLE where its image, or what is said of it, can't be read."""

    @abstractmethod
    def describe(self, index: int) -> str:
        """What to call an image in a message: its file, or its place."""


def read_upright(file: Path) -> Tensor:
    """Bytes (3, H, W) of a photograph, turned as its camera says; raises one of UNREADABLE.

    Annotations are of images as they lie in their files, so data sets are read by `read_image`.
    """
    with Image.open(file) as image:
        turned = ImageOps.exif_transpose(image)
        pixels: Tensor = pil_to_tensor(as_bytes(turned).convert("RGB"))
    return pixels


def read_image(file: Path, size: tuple[int, int] | None = None) -> Tensor:
    """Bytes (3, H, W) of an image file; raises one of UNREADABLE, also where it isn't of a size (height, width)."""
    image = decode(str(file), 3)
    if size is not None and (image.height, image.width) != size:
        found, said = f"{image.height} x {image.width}", f"{size[0]} x {size[1]}"
        raise ValueError(f"it is {found} pixels (height x width), and its annotation is for {said}")
    pixels: Tensor = pil_to_tensor(image)
    return pixels
