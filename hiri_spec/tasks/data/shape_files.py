"""Drawn shapes as files, in COCO's layout and in ADE20K's: the same images that `shapes` draws, and what is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...errors import Problem, SpecError
from .ade import FOLDERS, LIST
from .shapes import CLASS_NAMES, PIXEL_CLASS_NAMES, Drawing, Shape, ShapesOptions, draw_shapes

YEARS = {"train": "train2017", "validation": "val2017"}
FIRST_CATEGORY, CATEGORY_STEP = 1, 2
"""Ids of classes have gaps, as COCO's do."""


def write_shapes(folder: Path, options: ShapesOptions) -> tuple[Path, Path]:
    """Write FOLDER/coco and FOLDER/ade20k, and say where they are; raises SpecError where there is something yet."""
    coco, ade = folder / "coco", folder / "ade20k"
    for place in (folder, coco, ade):
        if (place.exists() and not place.is_dir()) or (place != folder and place.exists()):
            message = "is there already; name another folder, or remove it"
            raise SpecError(Problem(message, file=str(place), code="exists"))
    try:
        write_coco(coco, options)
        write_ade(ade, options)
    except OSError as error:
        message = f"can't be written: {error.strerror or error}; name another folder"
        raise SpecError(Problem(message, file=str(error.filename or folder), code="unwritable")) from None
    return coco, ade


def write_coco(folder: Path, options: ShapesOptions) -> None:
    """Write images with boxes and masks: polygons, and runs for what has a hole."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    categories = [
        {"id": _category(label), "name": name, "supercategory": "shape"} for label, name in enumerate(CLASS_NAMES)
    ]
    for split, name in YEARS.items():
        (folder / name).mkdir(exist_ok=True)
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for index in range(_count(options, split)):
            drawing = draw_shapes(options, split, index)
            height, width = drawing.pixels.shape[:2]
            file_name, image_id = f"{index + 1:012}.png", index + 1
            _save(drawing, folder / name / file_name)
            images.append({"id": image_id, "file_name": file_name, "height": height, "width": width})
            for shape in drawing.shapes:
                annotations.append({"id": len(annotations) + 1, "image_id": image_id, **_annotation(shape)})
        content = {"images": images, "annotations": annotations, "categories": categories}
        (folder / "annotations" / f"instances_{name}.json").write_text(json.dumps(content))


def write_ade(folder: Path, options: ShapesOptions) -> None:
    """Write images with the class of each pixel, counted from 1, and the names of the classes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LIST).write_text("".join(f"{name}\n" for name in PIXEL_CLASS_NAMES))
    for split, name in FOLDERS.items():
        images, annotations = (folder / kind / name for kind in ("images", "annotations"))
        for place in (images, annotations):
            place.mkdir(parents=True, exist_ok=True)
        for index in range(_count(options, split)):
            drawing = draw_shapes(options, split, index)
            _save(drawing, images / f"{index + 1:08}.png")
            Image.fromarray(drawing.to_classes() + np.uint8(1)).save(annotations / f"{index + 1:08}.png")


def _count(options: ShapesOptions, split: str) -> int:
    return options.validation if split == "validation" else options.train


def _save(drawing: Drawing, file: Path) -> None:
    Image.fromarray(drawing.pixels).save(file, compress_level=1)


def _category(label: int) -> int:
    return FIRST_CATEGORY + CATEGORY_STEP * label


def _annotation(shape: Shape) -> dict[str, Any]:
    left, top, right, bottom = shape.box
    return {
        "category_id": _category(shape.label),
        "bbox": [left, top, round(right - left, 2), round(bottom - top, 2)],
        "area": int(shape.mask.sum()),
        "iscrowd": 0,
        "segmentation": _runs(shape) if shape.outline is None else [shape.outline],
    }


def _runs(shape: Shape) -> dict[str, Any]:
    """Lengths of the mask's runs, column by column, that of what is empty first."""
    pixels = np.concatenate([[False], shape.mask.ravel(order="F")])
    starts = np.flatnonzero(pixels[1:] != pixels[:-1])
    ends = np.concatenate([[0], starts, [shape.mask.size]])
    return {"size": list(shape.mask.shape), "counts": np.diff(ends).tolist()}
