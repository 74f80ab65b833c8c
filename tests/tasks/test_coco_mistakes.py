"""COCO's layout: what is wrong with a file is told by its place, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from coco_files import annotation, change, drop, opened, write

from hiri_spec.errors import SpecError

BAD: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no images": (lambda made: made.pop("images"), r"json images: images is missing; write a list of images"),
    "no list": (lambda made: made.update(categories={}), r"categories: categories is {}; write a list of classes"),
    "images empty": (lambda made: made.update(images=[]), r"images: there are none; a data set needs at least one"),
    "nothing to learn": (
        lambda made: made.update(annotations=[]),
        r"annotations: there are none; training needs one object at least",
    ),
    "groups alone": (
        lambda made: [each.update(iscrowd=1) for each in made["annotations"]],
        r"annotations: there are none of the 4 but groups \(iscrowd is 1\), which are not learnt from; training needs",
    ),
    "file above": (
        change("images", 1, file_name="../val2017/30.png"),
        r"images\[1\].file_name: id 10: '../val2017/30.png' is outside of the folder of images; write where in",
    ),
    "file above by a detour": (change("images", 1, file_name="more/../../30.png"), r"'more/../../30.png' is outside"),
    "file anywhere": (change("images", 2, file_name="/etc/hostname"), r"id 20: '/etc/hostname' is outside of the"),
    "no bbox": (drop("annotations", 2, "bbox"), r"annotations\[2\].bbox: id 8: bbox is missing; write \[x, y, width"),
    "no id": (drop("annotations", 2, "id"), r"annotations\[2\].id: id is missing; write a whole number"),
    "no file name": (drop("images", 1, "file_name"), r"images\[1\].file_name: id 10: file_name is missing"),
    "words": (
        change("annotations", 1, image_id="30"),
        r"annotations\[1\].image_id: id 3: image_id is '30'; write a whole",
    ),
    "three sides": (
        change("annotations", 1, bbox=[1, 2, 3]),
        r"annotations\[1\].bbox: id 3: bbox is \[1, 2, 3\], too short; write \[x, y, width, height\] in pixels",
    ),
    "no sides": (
        change("annotations", 1, bbox=[]),
        r"annotations\[1\].bbox: id 3: bbox is \[\], too short; write \[x, y",
    ),
    "five sides": (change("annotations", 1, bbox=[1, 2, 3, 4, 5]), r"bbox: id 3: bbox is \[1, 2, 3, 4, 5\]; write \[x"),
    "a side in words": (change("annotations", 1, bbox=[1, 2, 3, "4"]), r"bbox\[3\]: id 3: bbox is '4'; write \[x, y"),
    "too many digits": (change("annotations", 1, id=10**30), r"annotations\[1\].id: .*id is 10+; write a whole number"),
    "an id of 9 bytes": (
        change("annotations", 1, id=2**64),
        r"annotations\[1\].id: .*id is 18446744073709551616; write a whole number of 8 bytes, from -2\^63 to 2\^63 - 1",
    ),
    "an endless side": (
        change("images", 0, height=2**31),
        r"height is 2147483648; write a whole number of pixels, from",
    ),
    "too many pixels": (change("images", 0, width=10**30), r"images\[0\].width: id 30: width is 10+; write a whole"),
    "astronomic": (change("annotations", 0, bbox=[1e308, 1, 1e308, 4]), r"id 5: .* sticks out of its image"),
    "crowd": (change("annotations", 1, iscrowd=2), r"iscrowd: id 3: iscrowd is 2; write 1 for a group"),
    "height": (change("images", 0, height=0), r"images\[0\].height: id 30: height is 0; write a whole number"),
    "image twice": (change("images", 2, id=30), r"images\[2\].id: id 30 is that of images\[0\] too; give each its own"),
    "object twice": (change("annotations", 3, id=5), r"annotations\[3\].id: id 5 is that of annotations\[0\] too"),
    "class twice": (change("categories", 1, id=7), r"categories\[1\].id: id 7 is that of categories\[0\] too"),
    "file twice": (
        change("images", 2, file_name="./30.png"),
        r"images\[2\].file_name: id 20: file_name './30.png' is that of images\[0\] too; list an image once, with all",
    ),
    "name twice": (
        change("categories", 2, name="dog"),
        r"categories\[2\].name: id 90: name 'dog' is that of categories\[0\] too; give each class its own, or make",
    ),
    "no name": (change("categories", 1, name=""), r"categories\[1\].name: id 2: name is ''; write what the class is"),
    "blank name": (change("categories", 1, name=" "), r"categories\[1\].name: id 2: name is ' '; write what the class"),
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
    "endless corner": (
        change("annotations", 0, segmentation=[[1, 1, 5, 5, 3, float("inf")]]),
        r"annotations\[0\].segmentation: id 5: polygon 0 has something in it that is no number; write x, y of each",
    ),
    "second without a number": (
        lambda made: made["annotations"][3]["segmentation"][1].__setitem__(4, float("nan")),
        r"annotations\[3\].segmentation: id 9: polygon 1 has something in it that is no number",
    ),
    "corner of many digits": (
        change("annotations", 0, segmentation=[[1, 1, 5, 5, 3, 10**400]]),
        r"id 5: polygon 0 has something in it that is no number",
    ),
    "corner far away": (
        change("annotations", 0, segmentation=[[1, 1, 5, 1, 1e9, 5]]),
        r"polygon 0 has a corner at x, y = 1e\+09, 5, far from its image of 30 x 20 \(width x height\); clip it",
    ),
    "polygons outside": (
        change("annotations", 1, segmentation=[[31, 1, 35, 1, 35, 5], [40, 1, 41, 1, 41, 5]]),
        r"annotations\[1\].segmentation: id 3: polygons from x, y = 31, 1 to 41, 5 have no pixel in their image of 30",
    ),
    "polygons above": (
        change("annotations", 1, segmentation=[[1, -9, 5, -9, 5, -3]]),
        r"from x, y = 1, -9 to 5, -3 have",
    ),
    "polygons beyond a corner": (
        change("annotations", 1, segmentation=[[-8, 4, 4, -8, -8, -8]]),
        r"id 3: polygons from x, y = -8, -8 to 4, 4 have no pixel in their image",
    ),
    "flat polygon": (change("annotations", 0, segmentation=[1, 1, 5, 5, 3, 4]), r"polygon 0 is 1; write x, y of"),
    "no polygon": (change("annotations", 0, segmentation=[]), r"id 5: \[\] is no mask; write polygons"),
    "runs of another size": (
        change("annotations", 0, segmentation={"size": [30, 20], "counts": [0, 600]}),
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
    "runs without a pixel": (
        change("annotations", 0, segmentation={"size": [20, 30], "counts": [600]}),
        r"annotations\[0\].segmentation: id 5: runs without a pixel in them; write those of the mask, or remove",
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


def test_a_box_without_sides_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"bbox is \[\], too short") as caught:
        opened(write(tmp_path, change("annotations", 1, bbox=[])))
    assert len(caught.value.problems) == 1
