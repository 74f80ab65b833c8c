"""Finegrain: drawn images whose classes differ in layout and in fine texture, so that resolution matters.

A class is a shape and the texture in it. Shapes are large; textures are so fine that whoever sees about 100 pixels a
side can't tell them apart, however long they look. Place, size, turn, colours, contrast, clouds and noise say nothing
about the class. Image number i of a seed is the same whenever and wherever it is drawn, and no file is needed.
"""

from __future__ import annotations

from itertools import product
from typing import Annotated

import numpy as np
from PIL import Image
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from .drawing import SHAPES, TEXTURES, draw
from .images import MODES, ImageSet, Sample

FACTORS = {
    shapes * textures: (shapes, textures)
    for textures in range(2, len(TEXTURES) + 1)
    for shapes in range(textures, len(SHAPES) + 1)
}
"""Numbers of classes, as so many shapes times so many textures, as equal as they can be."""
MOST_IMAGES = 10**7
MOST_KEPT_BYTES = 512 * 2**20
"""Of the images that a process keeps, as to draw one takes longer than to train a small network on it."""


def _as_product(classes: int) -> int:
    if classes not in FACTORS:
        near = sorted(sorted(FACTORS, key=lambda known: abs(known - classes))[:3])
        message = f"{classes} is not shapes x textures, as classes are here; use {', '.join(map(str, near))}"
        raise PydanticCustomError("classes", "{message}", {"message": message})
    return classes


Images = Annotated[int, Field(ge=1, le=MOST_IMAGES)]


class FinegrainOptions(BaseModel):
    """What can be chosen, as in `finegrain:classes=8,train=2000`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    classes: Annotated[int, AfterValidator(_as_product)] = Field(16, description="Number of classes, 4 to 36.")
    train: Images = Field(4800, description="Number of training images.")
    validation: Images = Field(960, description="Number of validation images.")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(0, description="Another one gives other images.")


class _Kept:
    """Images that were drawn, until there is no more room."""

    def __init__(self, most_bytes: int) -> None:
        self._images: dict[tuple[object, ...], Image.Image] = {}
        self._room = most_bytes

    def get(self, key: tuple[object, ...]) -> Image.Image | None:
        """A copy of an image, or None if it isn't kept."""
        image = self._images.get(key)
        return None if image is None else image.copy()

    def keep(self, key: tuple[object, ...], image: Image.Image) -> None:
        """Keep a copy if there is room."""
        size = image.width * image.height * len(image.getbands())
        if size <= self._room:
            self._room -= size
            self._images[key] = image.copy()


_kept = _Kept(MOST_KEPT_BYTES)


class Finegrain(ImageSet):
    """The images of a split, drawn when asked for at a resolution (height, width) in pixels; classes take turns."""

    def __init__(self, split: str, options: FinegrainOptions, resolution: tuple[int, int], in_channels: int) -> None:
        shapes, textures = FACTORS[options.classes]
        self._classes = list(product(list(SHAPES)[:shapes], list(TEXTURES)[:textures]))
        self._count = options.validation if split == "validation" else options.train
        self._key = options.seed, int(split == "validation")
        self._resolution = resolution
        self.class_names = tuple(f"{shape} of {texture}" for shape, texture in self._classes)
        self.in_channels = in_channels

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        target = index % len(self._classes)
        place = (*self._key, index)
        # whatever an image depends on: its class too, as with other classes it is another one
        key = (*place, self._classes[target], self._resolution, self.in_channels)
        image = _kept.get(key)
        if image is None:
            drawn = draw(*self._classes[target], np.random.default_rng(place), self._resolution)
            image = drawn.convert(MODES[self.in_channels])
            _kept.keep(key, image)
        return image, target

    def describe(self, index: int) -> str:
        return f"drawing {index}"
