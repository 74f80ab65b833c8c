"""Finegrain: drawn images whose classes differ in layout and in fine texture, so that resolution matters.

A class is a shape and the texture in it. Shapes are large; textures are so fine that whoever sees about 100 pixels a
side can't tell them apart, however long they look. Place, size, turn, colours, contrast, clouds and noise say nothing
about the class. Image number i of a seed is the same whenever and wherever it is drawn, and no file is needed.
"""

from __future__ import annotations

from itertools import product
from typing import Annotated

import numpy as np
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
        chance = np.random.default_rng((*self._key, index))
        return draw(*self._classes[target], chance, self._resolution).convert(MODES[self.in_channels]), target

    def describe(self, index: int) -> str:
        return f"drawing {index}"
