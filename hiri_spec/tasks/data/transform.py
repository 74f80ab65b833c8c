"""How scenes are made ready, as a recipe's `images` says, by torchvision's transforms.

Images stay bytes until they are where the network is, as those take a quarter of the way there. All agree on where
things are: a pixel is a square a unit wide, its middle at .5, for images, masks and boxes alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional

from ..recipe import Images
from ..scenes import IGNORED, Objects, PixelClasses, Target
from .scene_set import Scene

Content = tuple[Tensor, Target]
"""Bytes (3, h, w) and what is in them."""
PADDING = (0, 0, 0)
"""Colour of what a crop has too little of: black, as around the images of a batch (see `hiri_spec.tasks.padding`)."""
JITTERS = ({"brightness": (0.875, 1.125)}, {"contrast": (0.5, 1.5)}, {"saturation": (0.5, 1.5)}, {"hue": (-0.05, 0.05)})
"""By how much each is changed, in half of the images; after Liu et al. 2016, arXiv 1512.02325, channels not swapped."""


class ShortSide(v2.Transform):  # type: ignore[misc]  # torchvision has no annotations
    """Resizes to a shorter side of one of some lengths, or to a longest side where that would be longer, in pixels.

    Then all is made larger or smaller still by a factor between those of `scale`. torchvision's RandomShortestSize cuts
    off fractions, by which 800 pixels become 799; and its masks are not where its images are: pixel 0 of an image of
    half the size is the mean of pixels 0 and 1, and that of a mask is pixel 0.
    """

    def __init__(self, short_sides: Sequence[int], longest_side: int, scale: tuple[float, float] | None = None) -> None:
        super().__init__()
        self._short_sides, self._longest_side, self._scale = tuple(short_sides), longest_side, scale

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = v2.query_size(flat_inputs)
        short, factor = self._short_sides[0], 1.0
        if len(self._short_sides) > 1:
            short = self._short_sides[int(torch.randint(len(self._short_sides), ()))]
        if self._scale is not None:
            least, most = self._scale
            factor = least + (most - least) * float(torch.rand(()))
        ratio = factor * min(short / min(height, width), self._longest_side / max(height, width))
        return {"size": [max(1, round(side * ratio)) for side in (height, width)]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if isinstance(inpt, tv_tensors.Mask):
            resized = functional.resize(
                inpt.as_subclass(Tensor), params["size"], interpolation=InterpolationMode.NEAREST_EXACT
            )
            return tv_tensors.Mask(resized)
        return self._call_kernel(functional.resize, inpt, size=params["size"], antialias=True)


class CropWithin(v2.Transform):  # type: ignore[misc]  # torchvision has no annotations
    """Cuts out a piece of a size (height, width) by chance, or all there is of a side that is shorter."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self._size = size

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        sides = v2.query_size(flat_inputs)
        height, width = (min(side, most) for side, most in zip(sides, self._size, strict=True))
        top, left = (int(torch.randint(side - own + 1, ())) for side, own in zip(sides, (height, width), strict=True))
        return {"top": top, "left": left, "height": height, "width": width}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(functional.crop, inpt, **params)


class PadTo(v2.Transform):  # type: ignore[misc]  # torchvision has no annotations
    """Pads on the right and below up to a size (height, width); masks with `fill`."""

    def __init__(self, size: tuple[int, int], fill: int) -> None:
        super().__init__()
        self._size, self._fill = size, fill

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = v2.query_size(flat_inputs)
        return {"padding": [0, 0, max(0, self._size[1] - width), max(0, self._size[0] - height)]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        fill = self._fill if isinstance(inpt, tv_tensors.Mask) else list(PADDING)
        return self._call_kernel(functional.pad, inpt, padding=params["padding"], fill=fill)


class TrainingTransform:
    """Scene → bytes with what is in them, resized, cropped, mirrored and distorted by chance.

    Objects leave with no more of them than a pixel of the image; groups drawn as one are not learnt from.
    """

    def __init__(self, images: Images) -> None:
        steps: list[Any] = [ShortSide(images.short_sides or (images.short_side,), images.longest_side, images.scale)]
        crop = None if images.crop is None else _as_size(images.crop)
        if crop is not None:
            steps.append(CropWithin(crop))
        if images.flip:
            steps.append(v2.RandomHorizontalFlip(images.flip))
        if images.photometric:
            steps += [v2.RandomApply([v2.ColorJitter(**jitter)]) for jitter in JITTERS]
        self._steps = v2.Compose(steps)
        self._crop = crop
        self._sanitize = v2.Compose([v2.ClampBoundingBoxes(), v2.SanitizeBoundingBoxes()])

    def __call__(self, scene: Scene) -> Content:
        sample: dict[str, Any] = {"image": tv_tensors.Image(scene.image)}
        if isinstance(scene.target, PixelClasses):
            sample["masks"] = tv_tensors.Mask(scene.target.classes.to(torch.uint8)[None])
            sample = self._distort(sample, IGNORED)
            return _plain(sample["image"]), PixelClasses(_plain(sample["masks"])[0].long())
        objects = without_crowds(scene.target)
        sample["boxes"] = tv_tensors.BoundingBoxes(objects.boxes, format="XYXY", canvas_size=objects.size)
        sample["labels"] = objects.labels
        if objects.masks is not None:
            sample["masks"] = tv_tensors.Mask(objects.masks.to(torch.uint8))
        sample = self._sanitize(self._distort(sample, 0))
        return _plain(sample["image"]), _objects(sample)

    def _distort(self, sample: dict[str, Any], fill: int) -> dict[str, Any]:
        sample = self._steps(sample)
        # last, so that the padding is not distorted
        return sample if self._crop is None else PadTo(self._crop, fill)(sample)


def _as_size(crop: int | tuple[int, int]) -> tuple[int, int]:
    return (crop, crop) if isinstance(crop, int) else crop


def _plain(tensor: Tensor) -> Tensor:
    return tensor.as_subclass(Tensor).contiguous()


def _objects(sample: dict[str, Any]) -> Objects:
    """The objects of a sample, those of which no pixel is left out."""
    height, width = sample["image"].shape[-2:]
    boxes, labels = _plain(sample["boxes"]), sample["labels"]
    if "masks" not in sample:
        return Objects((height, width), boxes, labels)
    masks = _plain(sample["masks"]).bool()
    is_left = masks.flatten(1).any(1)
    return Objects((height, width), boxes[is_left], labels[is_left], masks[is_left])


def without_crowds(objects: Objects) -> Objects:
    """The same objects but for the groups drawn as one."""
    if objects.is_crowd is None or not objects.is_crowd.any():
        return objects
    kept = ~objects.is_crowd
    return replace(
        objects,
        boxes=objects.boxes[kept],
        labels=objects.labels[kept],
        masks=None if objects.masks is None else objects.masks[kept],
        is_crowd=objects.is_crowd[kept],
        areas=None if objects.areas is None else objects.areas[kept],
    )


class EvaluationTransform:
    """Scene → bytes, resized, with what is in the image as it was, which predictions are scaled back to."""

    def __init__(self, images: Images) -> None:
        self._resize = ShortSide((images.short_side,), images.longest_side)

    def __call__(self, scene: Scene) -> Content:
        return self.resize(scene.image), scene.target

    def resize(self, image: Tensor) -> Tensor:
        """Bytes (3, H, W) → bytes (3, h, w)."""
        return _plain(self._resize(tv_tensors.Image(image)))


def as_floats(image: Tensor) -> Tensor:
    """Bytes → numbers from 0 to 1, as heads take images."""
    return image.float() / 255
