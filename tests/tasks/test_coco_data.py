"""COCO's layout: what is read is what is written, and what the folders lack is told before anything is trained."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from coco_files import HEIGHT, WIDTH, change, objects, opened, write
from PIL import Image

from hiri_spec.errors import SpecError
from hiri_spec.tasks.data import coco_table, open_scene_splits, open_scenes
from hiri_spec.tasks.heads import HEADS
from hiri_spec.tasks.scenes import Objects


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


def test_what_is_partly_outside_or_of_less_than_a_pixel_stays(tmp_path: Path) -> None:
    def move(made: dict[str, Any]) -> None:
        made["annotations"][0]["segmentation"] = [[-4, 2, 4, 2, 4, 6, -4, 6], [40, 1, 44, 1, 44, 5]]
        made["annotations"][1]["segmentation"] = [[-9, -9, 40, -9, 40, 25, -9, 25]]
        made["annotations"][3]["segmentation"] = [[5.1, 5.1, 5.2, 5.1, 5.2, 5.2]]

    scenes = opened(write(tmp_path, move))
    first, last = objects(scenes, 0), objects(scenes, 2)
    assert scenes.notes == ()
    assert first.masks is not None
    assert last.masks is not None
    assert last.masks.sum((1, 2)).tolist() == [16]
    assert first.masks.sum((1, 2)).tolist() == [HEIGHT * WIDTH, 20, 0]


def test_polygons_outside_are_left_out_of_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coco_table, "MOST_FLAWED", 4)
    scenes = opened(write(tmp_path, change("annotations", 3, segmentation=[[31, 1, 35, 1, 35, 5]])))
    (note,) = scenes.notes
    assert "1 of 4 objects are left out, of no usable box or mask; the first is that of id 9: polygons from" in note
    assert objects(scenes, 0).labels.tolist() == [2, 0]
    assert len(opened(tmp_path, "retinanet")[0].target.labels) == 3  # type: ignore[union-attr]  # of objects


@pytest.mark.parametrize("head", ["retinanet", "mask_rcnn"])
def test_held_out_images_may_be_of_nothing(tmp_path: Path, head: str) -> None:
    file = write(tmp_path) / "annotations" / "instances_val2017.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"annotations": []}))
    scenes = open_scenes(tmp_path, "validation", HEADS[head])
    assert len(scenes) == 3
    assert scenes.class_names == opened(tmp_path).class_names
    target = scenes[0].target
    assert isinstance(target, Objects)
    assert target.boxes.shape == (0, 4)
    assert target.labels.dtype == torch.int64
    assert (target.masks is None) is (head == "retinanet")


def test_images_in_folders_of_the_folder(tmp_path: Path) -> None:
    def move(made: dict[str, Any]) -> None:
        (tmp_path / "train2017" / "more").mkdir()
        (tmp_path / "train2017" / "10.png").rename(tmp_path / "train2017" / "more" / "10.png")
        made["images"][1]["file_name"] = "less/../more/./10.png"
        (tmp_path / "train2017" / "less").mkdir()

    assert int(opened(write(tmp_path, move))[1].image.float().mean()) == 10


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
