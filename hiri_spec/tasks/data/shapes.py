"""Shapes: drawn images with boxes, masks and pixel classes, so that every head can be tried without a download.

Classes are shapes; place, size, turn, colours, clouds and noise say nothing about them. Some images have none. No shape
covers another. Image number i of a seed is the same whenever and wherever it is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pydantic import BaseModel, ConfigDict, Field

from ...train.data.drawing import clouds, grain, piece
from ..heads import Head, Kind
from ..scenes import Objects, PixelClasses
from .scene_set import Scene, SceneSet

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]

MOST_IMAGES = 10**7
MOST_SHAPES = 4
EMPTY_SHARE = 0.1
"""Of the images, those without any shape."""
RADII = 0.09, 0.24
"""Least and most, in units of the shorter side."""
LONGEST = 1.4
"""Most of the longer side, in units of the shorter one."""
ATTEMPTS = 8
"""To find room for a shape; one that finds none is left out."""
LEAST_CONTRAST = 0.4
"""Distance of a shape's colour from the background's; that of black from white is the square root of 3."""
HOLE = 0.5
"""Radius of a ring's hole, in units of the ring's."""


def _regular(corners: int) -> Points:
    angles = 2 * math.pi * np.arange(corners) / corners
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


_ARM = 0.32
_QUARTER = np.array([[_ARM, _ARM], [_ARM, 1.0], [-_ARM, 1.0]])
_TURNS = [np.array([[0.0, -1.0], [1.0, 0.0]]), -np.eye(2), np.array([[0.0, 1.0], [-1.0, 0.0]])]
OUTLINES: dict[str, Points] = {
    "disc": _regular(40),
    "triangle": _regular(3),
    "cross": np.concatenate([_QUARTER, *(_QUARTER @ turn.T for turn in _TURNS)]) / math.hypot(_ARM, 1.0),
    "ring": _regular(40),
}
"""Corners (N, 2) as x, y around the middle, in units of the radius, in order."""
HOLED = "ring"
CLASS_NAMES = tuple(OUTLINES)
PIXEL_CLASS_NAMES = ("background", *CLASS_NAMES)

Images = Annotated[int, Field(ge=1, le=MOST_IMAGES)]


class ShapesOptions(BaseModel):
    """What can be chosen, as in `shapes:train=400,size=128`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    train: Images = Field(400, description="Number of training images.")
    validation: Images = Field(100, description="Number of validation images.")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(0, description="Another one gives other images.")
    size: Annotated[int, Field(ge=32, le=4096)] = Field(128, description="Pixels of the shorter side.")


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape: class index, mask (H, W), box x1, y1, x2, y2, outline x, y, x, y, … None where there is a hole."""

    label: int
    mask: Mask
    box: tuple[float, float, float, float]
    outline: list[float] | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """Bytes (H, W, 3) and the shapes on them."""

    pixels: NDArray[np.uint8]
    shapes: list[Shape]

    def to_objects(self, *, has_masks: bool) -> Objects:
        """The shapes as a detector learns them."""
        height, width = self.pixels.shape[:2]
        masks = np.stack([shape.mask for shape in self.shapes]) if self.shapes else np.zeros((0, height, width), bool)
        return Objects(
            (height, width),
            torch.tensor([shape.box for shape in self.shapes], dtype=torch.float32).reshape(-1, 4),
            torch.tensor([shape.label for shape in self.shapes], dtype=torch.int64),
            torch.from_numpy(masks) if has_masks else None,
            torch.zeros(len(self.shapes), dtype=torch.bool),
            torch.from_numpy(masks.sum((1, 2)).astype(np.float32)),
        )

    def to_scene(self, kind: Kind, number: int) -> Scene:
        """The drawing with what a kind of head learns from it."""
        image = torch.from_numpy(self.pixels).permute(2, 0, 1).contiguous()
        if kind == "segmentation":
            return Scene(image, PixelClasses(torch.from_numpy(self.to_classes()).long()), number)
        return Scene(image, self.to_objects(has_masks=kind == "masks"), number)

    def to_classes(self) -> NDArray[np.uint8]:
        """Pixel classes (H, W), those of PIXEL_CLASS_NAMES."""
        classes = np.zeros(self.pixels.shape[:2], np.uint8)
        for shape in self.shapes:
            classes[shape.mask] = shape.label + 1
        return classes


def draw_shapes(options: ShapesOptions, split: str, index: int) -> Drawing:
    """Image number `index` of a split."""
    chance = np.random.default_rng((options.seed, int(split == "validation"), index))
    sides = [options.size, round(options.size * chance.uniform(1, LONGEST))]
    height, width = sides if chance.random() < 0.5 else sides[::-1]
    return draw(height, width, chance)


def draw(height: int, width: int, chance: np.random.Generator, count: int | None = None) -> Drawing:
    """An image of some sides with `count` shapes, fewer where there is no room, or as many as chance will have."""
    background = chance.uniform(0.15, 0.85, 3).astype(np.float32)
    image = np.broadcast_to(background, (height, width, 3)).copy()
    if count is None:
        count = 0 if chance.random() < EMPTY_SHARE else int(chance.integers(1, MOST_SHAPES, endpoint=True))
    taken = np.zeros((height, width), bool)
    shapes = []
    for _ in range(count):
        shape = _place(chance, taken)
        if shape is not None:
            shapes.append(shape)
            taken |= shape.mask
            image[shape.mask] = _colour_unlike(background, chance)
    for noise, least, most in ((clouds(), 0.03, 0.07), (grain(), 0.02, 0.05)):
        image += piece(noise, chance, height, width)[..., None] * np.float32(chance.uniform(least, most))
    return Drawing((np.clip(image, 0, 1) * 255).astype(np.uint8), shapes)


def _place(chance: np.random.Generator, taken: Mask) -> Shape | None:
    """A shape by chance where nothing is yet, whole inside the image; None if no room was found."""
    height, width = taken.shape
    for _ in range(ATTEMPTS):
        label = int(chance.integers(len(CLASS_NAMES)))
        name = CLASS_NAMES[label]
        radius, turn = chance.uniform(*RADII) * min(taken.shape), chance.uniform(0, 2 * math.pi)
        middle = chance.uniform(radius, [width - radius, height - radius])
        cos, sin = math.cos(turn), math.sin(turn)
        turned = radius * OUTLINES[name] @ np.array([[cos, sin], [-sin, cos]])
        corners = np.round(turned + middle, 2)  # as COCO's files say them
        mask = rasterise(corners, height, width)
        if name == HOLED:
            mask &= ~rasterise(HOLE * turned + middle, height, width)
        if not (mask & taken).any():
            (left, top), (right, bottom) = corners.min(0).tolist(), corners.max(0).tolist()
            outline = None if name == HOLED else corners.ravel().tolist()
            return Shape(label, mask, (left, top, right, bottom), outline)
    return None


def rasterise(corners: Points, height: int, width: int) -> Mask:
    """The pixels (H, W) in an outline (N, 2), as COCO's tools see them."""
    encoded: Any = coco_mask.frPyObjects([corners.ravel().tolist()], height, width)
    return coco_mask.decode(encoded)[..., 0].astype(bool)


def _colour_unlike(background: NDArray[np.float32], chance: np.random.Generator) -> NDArray[np.float32]:
    while True:
        colour = chance.uniform(0.05, 0.95, 3).astype(np.float32)
        if np.linalg.norm(colour - background) >= LEAST_CONTRAST:
            return colour


class Shapes(SceneSet):
    """The images of a split, drawn when asked for, with what a kind of head learns."""

    def __init__(self, split: str, options: ShapesOptions, head: Head) -> None:
        self._split = split
        self._options = options
        self._kind = head.kind
        self.class_names = PIXEL_CLASS_NAMES if head.is_segmentation else CLASS_NAMES

    def __len__(self) -> int:
        return self._options.validation if self._split == "validation" else self._options.train

    def __getitem__(self, index: int) -> Scene:
        return draw_shapes(self._options, self._split, index).to_scene(self._kind, index)

    def describe(self, index: int) -> str:
        return f"drawing {index}"
