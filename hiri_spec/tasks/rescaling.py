"""Answers for an image of one size → the same for it at another, such as that which it had before it was resized."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .scenes import Answer, Found, PixelClasses

MOST_PIXELS = 2**26
"""Of masks that are resized at once, as numbers of 4 bytes."""


def rescale(answer: Answer, size: tuple[int, int], to: tuple[int, int]) -> Answer:
    """An answer for an image of a `size` (height, width), for it at another.

    Masks are interpolated, and true from a half on; a pixel gets the class of the one that its middle lies in.
    """
    if isinstance(answer, PixelClasses):
        classes = functional.interpolate(answer.classes[None, None].float(), to, mode="nearest-exact")
        return PixelClasses(classes[0, 0].long())
    height, width = (new / old for new, old in zip(to, size, strict=True))
    boxes = answer.boxes.float() * answer.boxes.new_tensor([width, height, width, height], dtype=torch.float32)
    masks = None if answer.masks is None else _resize_masks(answer.masks, to)
    return Found(boxes, answer.labels, answer.scores.float(), masks)


def _resize_masks(masks: Tensor, to: tuple[int, int]) -> Tensor:
    if tuple(masks.shape[1:]) == to or not len(masks):
        return masks.bool() if len(masks) else masks.new_zeros((0, *to), dtype=torch.bool)
    at_once = max(1, MOST_PIXELS // max(to[0] * to[1], masks[0].numel()))
    resized = masks.new_empty((len(masks), *to), dtype=torch.bool)
    for some, place in zip(masks.split(at_once), resized.split(at_once), strict=True):
        whole = functional.interpolate(some[None].float(), to, mode="bilinear", antialias=True)[0]
        torch.ge(whole, 0.5, out=place)
    return resized
