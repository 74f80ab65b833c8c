"""COCO's layout: what is read is what is written, and what is wrong is told by its place before anything is trained."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask

from hiri_spec.errors import SpecError
from hiri_spec.tasks.data import SceneSet, coco_table, open_scene_splits, open_scenes
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


@pytest.mark.parametrize("year", ["2017", ""], ids=["2017", "no year"])
def test_scenes_are_those_of_the_file(tmp_path: Path, year: str) -> None:
    training, validation = open_scene_splits(write(tmp_path, year=year), HEADS["mask_rcnn"])
    assert len(training) == len(validation) == 3
    assert training.class_names == ("cat", "dog", "bird")
    assert training.notes == ()
    training = pickle.loads(pickle.dumps(training))
    assert [training[index].image_id for index in range(3)] == [30, 10, 20]
    assert [int(training[index].image.float().mean()) for index in range(3)] == [30, 10, 20]
    assert training.describe(1) == str(tmp_path / f"train{year}" / "10.png")
    first = objects(training, 0)
    assert first.size == (HEIGHT, WIDTH)
    assert first.boxes.tolist() == [[10, 2, 14, 6], [0, 0, 1, 20], [1, 1, 5, 5]]
    assert first.labels.tolist() == [2, 0, 0]
    assert first.is_crowd is not None
    assert first.is_crowd.tolist() == [False, True, False]
    assert first.masks is not None
    assert [mask.nonzero().aminmax(dim=0)[0].tolist() for mask in first.masks] == [[2, 10], [0, 0], [1, 1]]
    assert first.masks.sum((1, 2)).tolist() == [16, 20, 32]
    empty = objects(training, 1)
    assert empty.boxes.shape == (0, 4)
    assert empty.masks is not None
    assert empty.masks.shape == (0, HEIGHT, WIDTH)
    last = objects(training, 2)
    assert last.areas is not None
    assert last.areas.tolist() == [16.5]


def test_boxes_alone_need_no_masks(tmp_path: Path) -> None:
    def leave_out(made: dict[str, Any]) -> None:
        for each in made["annotations"]:
            del each["segmentation"], each["area"], each["iscrowd"]

    scenes = opened(write(tmp_path, leave_out), "retinanet")
    first = objects(scenes, 0)
    assert first.masks is None
    assert first.areas is not None
    assert first.areas.tolist() == [16, 20, 16]
    with pytest.raises(
        SpecError, match=r"annotations\[0\].segmentation: id 5: segmentation is missing; this head learns"
    ):
        opened(tmp_path)


def test_what_sticks_out_by_a_pixel_is_clipped(tmp_path: Path) -> None:
    def move(made: dict[str, Any]) -> None:
        made["annotations"][0]["bbox"] = [-0.5, 3, 31.2, 17.9]

    assert objects(opened(write(tmp_path, move)), 2).boxes.tolist() == [[0, 3, 30, 20]]


def change(kind: str, index: int, **values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda made: made[kind][index].update(values)


def drop(kind: str, index: int, key: str) -> Callable[[dict[str, Any]], None]:
    def apply(made: dict[str, Any]) -> None:
        del made[kind][index][key]

    return apply


BAD: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no images": (lambda made: made.pop("images"), r"json images: images is missing; write a list of images"),
    "no list": (lambda made: made.update(categories={}), r"categories: categories is {}; write a list of classes"),
    "images empty": (lambda made: made.update(images=[]), r"images: there are none; a data set needs at least one"),
    "nothing empty": (lambda made: made.update(annotations=[]), r"annotations: there are none"),
    "no bbox": (drop("annotations", 2, "bbox"), r"annotations\[2\].bbox: id 8: bbox is missing; write \[x, y, width"),
    "no id": (drop("annotations", 2, "id"), r"annotations\[2\].id: id is missing; write a whole number"),
    "no file name": (drop("images", 1, "file_name"), r"images\[1\].file_name: id 10: file_name is missing"),
    "words": (
        change("annotations", 1, image_id="30"),
        r"annotations\[1\].image_id: id 3: image_id is '30'; write a whole",
    ),
    "three sides": (change("annotations", 1, bbox=[1, 2, 3]), r"annotations\[1\].bbox\[3\]: id 3: bbox is missing"),
    "a side in words": (change("annotations", 1, bbox=[1, 2, 3, "4"]), r"bbox\[3\]: id 3: bbox is '4'; write \[x, y"),
    "too many digits": (change("annotations", 1, id=10**30), r"annotations\[1\].id: .*id is 10+; write a whole number"),
    "too many pixels": (change("images", 0, width=10**30), r"images\[0\].width: id 30: width is 10+; write a whole"),
    "astronomic": (change("annotations", 0, bbox=[1e308, 1, 1e308, 4]), r"id 5: .* sticks out of its image"),
    "crowd": (change("annotations", 1, iscrowd=2), r"iscrowd: id 3: iscrowd is 2; write 1 for a group"),
    "height": (change("images", 0, height=0), r"images\[0\].height: id 30: height is 0; write a whole number"),
    "image twice": (change("images", 2, id=30), r"images\[2\].id: id 30 is that of images\[0\] too; give each its own"),
    "object twice": (change("annotations", 3, id=5), r"annotations\[3\].id: id 5 is that of annotations\[0\] too"),
    "class twice": (change("categories", 1, id=7), r"categories\[1\].id: id 7 is that of categories\[0\] too"),
    "no such image": (change("annotations", 0, image_id=99), r"image_id: id 5: 99 is not among images; add it, or"),
    "no such class": (
        change("annotations", 0, category_id=3),
        r"category_id: id 5: 3 is not among categories; known: 2, 7",
    ),
    "flat": (
        change("annotations", 0, bbox=[1, 1, 0, 4]),
        r"annotations\[0\].bbox: id 5: \[1.0, 1.0, 0.0, 4.0\] has no area",
    ),
    "backwards": (change("annotations", 0, bbox=[5, 5, -2, 4]), r"\[5.0, 5.0, -2.0, 4.0\] has no area; write"),
    "outside": (
        change("annotations", 0, bbox=[20, 1, 12, 4]),
        r"sticks out of its image of 30 x 20 \(width x height\)",
    ),
    "beyond": (change("annotations", 0, bbox=[30.2, 1, 0.5, 4]), r"sticks out of its image"),
    "no number": (
        change("annotations", 0, bbox=[float("nan"), 1, 2, 4]),
        r"\[nan, 1.0, 2.0, 4.0\] has something in it",
    ),
    "two corners": (
        change("annotations", 0, segmentation=[[1, 1, 5, 5]]),
        r"segmentation: id 5: polygon 0 has 4 numbers",
    ),
    "odd": (change("annotations", 0, segmentation=[[1, 1, 5, 5, 3, 4, 1]]), r"polygon 0 has 7 numbers; write x, y of"),
    "corner in words": (
        change("annotations", 0, segmentation=[["1", 1, 5, 5, 3, 4]]),
        r"polygon 0 has something in it that",
    ),
    "flat polygon": (change("annotations", 0, segmentation=[1, 1, 5, 5, 3, 4]), r"polygon 0 is 1; write x, y of"),
    "no polygon": (change("annotations", 0, segmentation=[]), r"id 5: \[\] is no mask; write polygons"),
    "runs of another size": (
        change("annotations", 0, segmentation={"size": [30, 20], "counts": [600]}),
        r"id 5: runs of size 30 x 20 \(height x width\) in an image of 20 x 30; write its own",
    ),
    "runs too short": (
        change("annotations", 0, segmentation={"size": [20, 30], "counts": [0, 599]}),
        r"runs of 599 pixels in all; those of 20 x 30 are 600",
    ),
    "letters": (
        change("annotations", 0, segmentation={"size": [20, 30], "counts": "ab c"}),
        r"id 5: runs of counts 'ab c'; write their lengths, or COCO's letters for them",
    ),
    "letters too short": (
        change("annotations", 0, segmentation={"size": [20, 30], "counts": "54"}),
        r"id 5: runs of 9 pixels in all; those of 20 x 30 are 600",
    ),
    "runs of nothing": (change("annotations", 0, segmentation={"size": [20, 30]}), r"runs of counts null; write their"),
    "runs without size": (
        change("annotations", 0, segmentation={"counts": [600]}),
        r"runs of size null; write \[height",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_told_by_its_place(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        opened(write(tmp_path, spoil))
    assert {problem.file for problem in caught.value.problems} == {
        str(tmp_path / "annotations" / "instances_train2017.json")
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"instances_train2017.json: is empty; write it anew, or fetch it again"),
        ("  \n", "is empty"),
        ('{"images": [', r"is not JSON, or not all of it \(EOF while parsing .* at line 1 column 12\); write it anew"),
        ("version https://git-lfs", r"is not JSON, or not all of it \(expected value at line 1 column 1\)"),
        ("[]", r"instances_train2017.json: \[\] stands for all of it; write images, categories, annotations"),
    ],
    ids=["empty", "blank", "cut off", "no JSON", "a list"],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    (write(tmp_path) / "annotations" / "instances_train2017.json").write_text(text)
    with pytest.raises(SpecError, match=message):
        opened(tmp_path)


def test_the_first_few_of_many_are_told(tmp_path: Path) -> None:
    def spoil(made: dict[str, Any]) -> None:
        made["annotations"] += [annotation(100 + n, 20, 7, [1, 1, 0, 4], [[1, 1, 5, 1, 5, 5]]) for n in range(1200)]
        made["annotations"][0]["segmentation"] = []

    with pytest.raises(SpecError, match=r"id 100: .* has no area") as caught:
        opened(write(tmp_path, spoil))
    assert len(caught.value.problems) == 6
    assert "id 5: [] is no mask" in str(caught.value)
    assert str(caught.value).endswith("and 1,196 more")


def test_one_of_ten_thousand_may_be_flawed_as_in_cocos_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coco_table, "MOST_FLAWED", 4)
    flat = change("annotations", 2, bbox=[5, 5, 10, 0])
    scenes = opened(write(tmp_path, flat))
    assert scenes.notes == (
        f"{tmp_path}/annotations/instances_train2017.json: 1 of 4 objects are left out, of no usable box or mask; "
        "the first is that of id 8: [5.0, 5.0, 10.0, 0.0] has no area; write [x, y, width, height], both sides "
        "above 0, or remove it",
    )
    first = objects(scenes, 0)
    assert first.labels.tolist() == [2, 0]
    assert first.masks is not None
    assert first.masks.sum((1, 2)).tolist() == [16, 32]


def test_images_of_another_size_are_unreadable(tmp_path: Path) -> None:
    scenes = opened(write(tmp_path))
    Image.new("RGB", (9, 5)).save(tmp_path / "train2017" / "10.png")
    message = r"it is 5 x 9 pixels \(height x width\), and its annotation is for 20 x 30"
    with pytest.raises(ValueError, match=message):
        scenes[1]


def test_grey_images_become_colour(tmp_path: Path) -> None:
    scenes = opened(write(tmp_path))
    Image.new("L", (WIDTH, HEIGHT), 77).save(tmp_path / "train2017" / "10.png")
    assert torch.equal(scenes[1].image, torch.full((3, HEIGHT, WIDTH), 77, dtype=torch.uint8))


def test_images_that_are_elsewhere(tmp_path: Path) -> None:
    write(tmp_path)
    for file in (tmp_path / "train2017").iterdir():
        file.unlink()
    with pytest.raises(SpecError, match=r"train2017: has none of the 3 images of .*, not 30.png; put them there"):
        opened(tmp_path)
    (tmp_path / "train2017").rmdir()
    with pytest.raises(
        SpecError, match=r"train2017: no such folder, though .*2017.json is there; put its images into it"
    ):
        opened(tmp_path)


def test_a_split_that_is_missing(tmp_path: Path) -> None:
    file = write(tmp_path) / "annotations" / "instances_train2017.json"
    file.rename(file.with_name("instance_train2017.json"))
    message = (
        r"instances_train2017.json: no such file, so there is no train split; did you mean 'instance_train2017.json'"
    )
    with pytest.raises(SpecError, match=message):
        opened(tmp_path)


def test_splits_of_other_classes(tmp_path: Path) -> None:
    write(tmp_path, change("categories", 0, name="wolf"))
    with pytest.raises(SpecError, match=r"other classes .*: 'wolf' only for training; 'dog' only for validation; list"):
        open_scene_splits(tmp_path, HEADS["gfl"])
