"""A small data set of COCO's layout, written as it should be or spoilt, for tests of reading it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from hiri_spec.tasks.data import SceneSet, open_scenes
from hiri_spec.tasks.heads import HEADS
from hiri_spec.tasks.scenes import Objects

HEIGHT, WIDTH = 20, 30


def content() -> dict[str, Any]:
    """Three images, the second without objects; ids with gaps, not in order."""
    block = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    block[2:6, 10:14] = 1
    encoded: Any = coco_mask.encode(block)
    letters = {"size": [HEIGHT, WIDTH], "counts": encoded["counts"].decode()}
    runs = {"size": [HEIGHT, WIDTH], "counts": [0, HEIGHT, HEIGHT * (WIDTH - 1)]}
    square = [[1, 1, 5, 1, 5, 5, 1, 5]]
    return {
        "info": {"year": 2017},
        "licenses": [],
        "images": [
            {"id": number, "file_name": f"{number}.png", "height": HEIGHT, "width": WIDTH, "license": 1}
            for number in (30, 10, 20)
        ],
        "categories": [{"id": 7, "name": "dog"}, {"id": 2, "name": "cat"}, {"id": 90, "name": "bird"}],
        "annotations": [
            annotation(5, 20, 7, [1, 1, 4, 4], square, area=16.5),
            annotation(3, 30, 90, [10, 2, 4, 4], letters),
            annotation(8, 30, 2, [0, 0, 1, 20], runs, iscrowd=1),
            annotation(9, 30, 2, [1, 1, 4, 4], [*square, [20, 10, 24, 10, 24, 14, 20, 14]]),
        ],
    }


def annotation(
    own: int, image: int, category: int, bbox: list[float], segmentation: Any, **more: Any
) -> dict[str, Any]:
    own_keys = {"id": own, "image_id": image, "category_id": category, "bbox": bbox, "segmentation": segmentation}
    return {**own_keys, "iscrowd": 0, "area": bbox[2] * bbox[3], **more}


def write(root: Path, change: Callable[[dict[str, Any]], object] = lambda _: None, year: str = "2017") -> Path:
    """A data set of which the training file is changed."""
    (root / "annotations").mkdir()
    for split in ("train", "val"):
        (root / f"{split}{year}").mkdir()
        made = content()
        for image in made["images"]:
            picture = np.full((HEIGHT, WIDTH, 3), image["id"], np.uint8)
            Image.fromarray(picture).save(root / f"{split}{year}" / image["file_name"])
        if split == "train":
            change(made)
        (root / "annotations" / f"instances_{split}{year}.json").write_text(json.dumps(made))
    return root


def opened(root: Path, head: str = "mask_rcnn") -> SceneSet:
    return open_scenes(root, "train", HEADS[head])


def objects(scenes: SceneSet, index: int) -> Objects:
    target = scenes[index].target
    assert isinstance(target, Objects)
    return target


def change(kind: str, index: int, **values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda made: made[kind][index].update(values)


def drop(kind: str, index: int, key: str) -> Callable[[dict[str, Any]], None]:
    def apply(made: dict[str, Any]) -> None:
        del made[kind][index][key]

    return apply
