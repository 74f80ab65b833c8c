"""An annotation file of COCO's form as a few arrays, checked for what it says, which processes can share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import show, suggest
from .annotations import Complaints, read_annotations
from .outlines import Floats, Integers, Masks, Outlines
from .runs import Flaw, Runs

OVERHANG = 1.0
"""Pixels that a box may stick out of its image; as COCO's own do, by less. It is clipped then."""
MOST_FLAWED = 10_000
"""One in so many objects may have a box or mask that is none, and is left out."""


@dataclass(frozen=True, slots=True)
class CocoTable:
    """The images of a file, in its order, with their objects.

    `sizes` (I, 2) are heights and widths. The objects of image number i are numbers `order[starts[i]:starts[i + 1]]` of
    `boxes` (N, 4) as x1, y1, x2, y2, `labels`, `areas`, `is_crowd` (N,) and `outlines`. `notes` say what was left out.
    """

    file_names: list[str]
    image_ids: Integers
    sizes: Integers
    class_names: tuple[str, ...]
    order: Integers
    starts: Integers
    boxes: Floats
    labels: Integers
    areas: Floats
    is_crowd: Masks
    outlines: Outlines | None
    notes: tuple[str, ...]


def read_table(file: Path, *, has_masks: bool, is_training: bool) -> CocoTable:
    """The table of a file; raises SpecError that names ids and places of whatever is wrong in it.

    Classes are counted from 0 by the order of their ids, as COCO's have gaps. No two have one name, as the figures and
    answers tell them by it, and no image is listed twice. Images without objects stay, and only in
    training must there be an object that is learnt from. A box that
    sticks out of its image by up to OVERHANG is clipped; an area that isn't told is the box's. One in MOST_FLAWED
    objects may have a box without an area or one that sticks out further, or a mask that is none: those are left out
    and counted in `notes`; if there are more, each is an error. COCO's own training file has two boxes without a height
    among 860,001, those of ids 918 and 2206849 (issue 355 of cocodataset/cocoapi).
    """
    content: Any = read_annotations(file, has_masks=has_masks)
    images, categories, annotations = content["images"], content["categories"], content["annotations"]
    complaints = Complaints(file)
    for key, entries in (("images", images), ("categories", categories), ("annotations", annotations)):
        if not entries and key != "annotations":
            complaints.add(key, "there are none; a data set needs at least one")
        _complain_of_twins(complaints, key, "id", entries)
    _complain_of_twins(complaints, "images", "file_name", images)
    _complain_of_twins(complaints, "categories", "name", categories)
    _complain_of_places(complaints, images)
    complaints.settle()
    image_ids = np.array([image["id"] for image in images], np.int64)
    categories = sorted(categories, key=lambda category: category["id"])
    category_ids = np.array([category["id"] for category in categories], np.int64)
    ids = [annotation["id"] for annotation in annotations]
    image_numbers = _find(complaints, annotations, "image_id", image_ids, "images")
    labels = _find(complaints, annotations, "category_id", category_ids, "categories")
    complaints.settle()

    sizes = np.array([(image["height"], image["width"]) for image in images], np.int64)
    boxes = np.array([annotation["bbox"] for annotation in annotations], np.float64).reshape(-1, 4)
    segmentations = [annotation["segmentation"] for annotation in annotations] if has_masks else []
    outlines = Outlines(segmentations) if has_masks else None
    own_sizes = sizes[image_numbers]
    with np.errstate(over="ignore"):  # of sides that are no more than the largest number there is
        flaws = _box_flaws(boxes, own_sizes) | _mask_flaws(segmentations, own_sizes)
        if outlines is not None:
            flaws |= {index: ("segmentation", str(flaw)) for index, flaw in outlines.find_flaws(own_sizes)}
        corners = _as_corners(boxes, own_sizes)
        box_areas = boxes[:, 2] * boxes[:, 3]
    notes: tuple[str, ...] = ()
    numbers = sorted(flaws)
    if len(numbers) > len(annotations) // MOST_FLAWED:
        complaints.add_all(
            numbers,
            lambda number: (f"annotations[{number}].{flaws[number][0]}", f"id {ids[number]}: {flaws[number][1]}"),
        )
    elif numbers:
        first = f"the first is that of id {ids[numbers[0]]}: {flaws[numbers[0]][1]}"
        notes = (f"{file}: {len(numbers):,} of {len(ids):,} objects are left out, of no usable box or mask; {first}",)
    complaints.settle()

    kept = np.setdiff1d(np.arange(len(ids)), np.array(numbers, np.int64))
    is_crowd = np.array([annotation.get("iscrowd", 0) for annotation in annotations], bool)
    if is_training and is_crowd[kept].all():  # `TrainingTransform` leaves groups out
        what = f"none of the {len(ids):,} but groups (iscrowd is 1), which are not learnt from" if ids else "none"
        complaints.add("annotations", f"there are {what}; training needs one object at least")
        complaints.settle()
    order = kept[np.argsort(image_numbers[kept], kind="stable")]
    starts = np.searchsorted(image_numbers[order], np.arange(len(images) + 1))
    areas = [annotation.get("area", area) for annotation, area in zip(annotations, box_areas, strict=True)]
    return CocoTable(
        file_names=[image["file_name"] for image in images],
        image_ids=image_ids,
        sizes=sizes,
        class_names=tuple(category["name"] for category in categories),
        order=order,
        starts=starts,
        boxes=corners,
        labels=labels,
        areas=np.array(areas, np.float64),
        is_crowd=is_crowd,
        outlines=outlines,
        notes=notes,
    )


TWINS = {
    "id": "give each its own",
    "file_name": "list an image once, with all that is in it",
    "name": "give each class its own, or make one of them",
}
"""What to do where two entries of a kind have the same in a field that tells them apart."""


def _complain_of_twins(complaints: Complaints, key: str, field: str, entries: Sequence[Any]) -> None:
    values = [os.path.normpath(entry[field]) if field == "file_name" else entry[field] for entry in entries]
    first: dict[Any, int] = {}
    twins = [index for index, own in enumerate(values) if first.setdefault(own, index) != index]

    def explain(index: int) -> tuple[str, str]:
        own = entries[index]
        what = f"id {own['id']}" if field == "id" else f"id {own['id']}: {field} {show(own[field])}"
        message = f"{what} is that of {key}[{first[values[index]]}] too; {TWINS[field]}"
        return f"{key}[{index}].{field}", message

    complaints.add_all(twins, explain)


def _complain_of_places(complaints: Complaints, images: Sequence[Any]) -> None:
    """Files outside of the folder that the split's images lie in are none of the data set's."""
    outside = [index for index, image in enumerate(images) if _leads_out(image["file_name"])]

    def explain(index: int) -> tuple[str, str]:
        own, name = images[index]["id"], images[index]["file_name"]
        message = f"id {own}: {show(name)} is outside of the folder of images; write where in that folder it lies"
        return f"images[{index}].file_name", message

    complaints.add_all(outside, explain)


def _leads_out(file_name: str) -> bool:
    place = Path(os.path.normpath(file_name))
    return place.is_absolute() or place.parts[:1] == (os.pardir,)


def _find(complaints: Complaints, annotations: Sequence[Any], key: str, known: Integers, kind: str) -> Integers:
    """The number in `known` of each annotation's id under a key, 0 and a complaint where there is none."""
    numbers = {own: number for number, own in enumerate(known.tolist())}
    found = [numbers.get(annotation[key], -1) for annotation in annotations]

    def explain(index: int) -> tuple[str, str]:
        own = annotations[index][key]
        hint = suggest(own, map(str, known.tolist())) if kind == "categories" else "add it, or remove the annotation"
        return f"annotations[{index}].{key}", f"id {annotations[index]['id']}: {own} is not among {kind}; {hint}"

    complaints.add_all([index for index, number in enumerate(found) if number < 0], explain)
    return np.array(found, np.int64)


def _as_corners(boxes: Floats, sizes: Integers) -> Floats:
    """x, y, width, height → x1, y1, x2, y2, clipped to images of sizes (height, width)."""
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    return np.clip(corners, 0, sizes[:, [1, 0, 1, 0]])


def _box_flaws(boxes: Floats, sizes: Integers) -> dict[int, tuple[str, str]]:
    """Key and reason by the number of the object."""
    ends, limits = boxes[:, :2] + boxes[:, 2:], sizes[:, ::-1]
    is_finite = np.asarray(np.isfinite(boxes).all(1))
    sticks_out = ((boxes[:, :2] < -OVERHANG) | (ends > limits + OVERHANG)).any(1)
    corners = _as_corners(boxes, sizes)
    is_flat = (boxes[:, 2:] <= 0).any(1) | (corners[:, 2:] <= corners[:, :2]).any(1)
    flaws = {}
    for index in np.flatnonzero(~is_finite | sticks_out | is_flat).tolist():
        box = show(boxes[index].tolist())
        if is_finite[index] and (boxes[index, 2:] <= 0).any():
            what = f"{box} has no area; write [x, y, width, height], both sides above 0, or remove it"
        elif is_finite[index]:
            height, width = sizes[index].tolist()
            what = (
                f"{box} (x, y, width, height) sticks out of its image of {width} x {height} (width x height); clip it"
            )
        else:
            what = f"{box} has something in it that is no number; write [x, y, width, height] in pixels"
        flaws[index] = ("bbox", what)
    return flaws


def _mask_flaws(segmentations: Sequence[Any], sizes: Integers) -> dict[int, tuple[str, str]]:
    flaws = {}
    for index, own in enumerate(segmentations):
        if isinstance(own, Flaw):
            flaws[index] = ("segmentation", str(own))
        elif isinstance(own, Runs) and own.size != tuple(sizes[index].tolist()):
            height, width = sizes[index].tolist()
            what = f"runs of size {own.size[0]} x {own.size[1]} (height x width) in an image of {height} x {width}"
            flaws[index] = ("segmentation", f"{what}; write its own")
    return flaws
