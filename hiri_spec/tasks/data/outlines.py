"""The masks of a file's objects in few arrays, which processes can share; drawn when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from .runs import Flaw, Runs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Masks = NDArray[np.bool_]


class Outlines:
    """The masks of a file's objects: polygons in one array, and runs."""

    def __init__(self, segmentations: Sequence[Any]) -> None:
        polygons = [polygon for own in segmentations if not isinstance(own, Runs | Flaw) for polygon in own]
        counts = [0 if isinstance(own, Runs | Flaw) else len(own) for own in segmentations]
        self._first = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self._starts = np.concatenate([[0], np.cumsum([len(polygon) for polygon in polygons], dtype=np.int64)])
        self._numbers = np.concatenate([np.frombuffer(polygon) for polygon in polygons]) if polygons else np.zeros(0)
        self._runs = {index: own for index, own in enumerate(segmentations) if isinstance(own, Runs)}

    def draw(self, index: int, height: int, width: int) -> Masks:
        """The mask (H, W) of an object."""
        return coco_mask.decode(self._encode(index, height, width)).astype(bool)

    def _encode(self, index: int, height: int, width: int) -> Any:
        runs = self._runs.get(index)
        if runs is None:
            first, last = self._first[index], self._first[index + 1]
            polygons = [
                self._numbers[self._starts[number] : self._starts[number + 1]].tolist() for number in range(first, last)
            ]
            return coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
        if isinstance(runs.counts, str):
            return {"size": list(runs.size), "counts": runs.counts.encode()}
        return coco_mask.frPyObjects({"size": list(runs.size), "counts": runs.counts}, height, width)

    def find_flaws(self, sizes: Integers) -> Iterator[tuple[int, Flaw]]:
        """Objects whose polygons COCO's tools can't draw in images of sizes (height, width), or that are not in them.

        Those tools read or leave memory that is not theirs where a corner is no number or some hundred millions of
        pixels away: none may be further from the image than that is long. An object of less than a pixel, which COCO
        has some of, is none of the flaws unless it sticks out of its image.
        """
        if not len(self._numbers):
            return
        owners = np.repeat(np.arange(len(sizes)), np.diff(self._first))
        least, most = (
            np.stack([bound.reduceat(self._numbers[axis::2], self._starts[:-1] // 2) for axis in (0, 1)], axis=1)
            for bound in (np.minimum, np.maximum)
        )
        limits = sizes[owners][:, ::-1]
        reach = limits.max(1, keepdims=True)
        is_near = ((least >= -reach) & (most <= limits + reach)).all(
            1
        )  # not where there is something that is no number
        is_within = ((least >= 0) & (most <= limits)).all(1)
        told = set()
        for polygon in np.flatnonzero(~is_near).tolist():
            own = int(owners[polygon])
            if own not in told:
                told.add(own)
                yield own, self._tell_of_corner(polygon, own, sizes, reach[polygon])
        is_sure = np.zeros(len(sizes), bool)
        is_sure[owners[is_within]] = True
        for own in np.setdiff1d(owners[~is_sure[owners]], sorted(told)).tolist():
            height, width = sizes[own].tolist()
            if not coco_mask.area(self._encode(own, height, width)):
                theirs = slice(self._first[own], self._first[own + 1])
                (left, top), (right, bottom) = least[theirs].min(0), most[theirs].max(0)
                where = f"from x, y = {left:g}, {top:g} to {right:g}, {bottom:g}"
                image = f"{width} x {height} (width x height)"
                yield own, Flaw(f"polygons {where} have no pixel in their image of {image}; mend or remove them")

    def _tell_of_corner(self, polygon: int, own: int, sizes: Integers, reach: Integers) -> Flaw:
        number = polygon - int(self._first[own])
        corners = self._numbers[self._starts[polygon] : self._starts[polygon + 1]].reshape(-1, 2)
        if not np.isfinite(corners).all():
            return Flaw(f"polygon {number} has something in it that is no number; write x, y of each corner")
        height, width = sizes[own].tolist()
        is_far = ((corners < -reach) | (corners > sizes[own, ::-1] + reach)).any(1)
        x, y = corners[is_far][0].tolist()
        image = f"{width} x {height} (width x height)"
        return Flaw(f"polygon {number} has a corner at x, y = {x:g}, {y:g}, far from its image of {image}; clip it")
