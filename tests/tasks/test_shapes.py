"""Drawn shapes: the same again by number, right about what is in them, and the same as files."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from hiri_spec.errors import SpecError
from hiri_spec.tasks.data import open_scene_splits, open_scenes
from hiri_spec.tasks.data.shape_files import write_shapes
from hiri_spec.tasks.data.shapes import CLASS_NAMES, PIXEL_CLASS_NAMES, ShapesOptions, draw_shapes
from hiri_spec.tasks.heads import HEADS
from hiri_spec.tasks.scenes import Objects, PixelClasses

OPTIONS = ShapesOptions(train=12, validation=5, size=64, seed=3)
SOURCE = "shapes:train=12,validation=5,size=64,seed=3"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_shapes(tmp_path_factory.mktemp("shapes"), OPTIONS)


def test_images_are_the_same_by_seed_split_and_number() -> None:
    first = draw_shapes(OPTIONS, "train", 4)
    again = draw_shapes(OPTIONS, "train", 4)
    assert np.array_equal(first.pixels, again.pixels)
    others = [
        draw_shapes(OPTIONS, "train", 5),
        draw_shapes(OPTIONS, "validation", 4),
        draw_shapes(ShapesOptions(size=64, seed=4), "train", 4),
    ]
    assert all(not np.array_equal(first.pixels, other.pixels) for other in others)


def test_what_is_told_is_what_is_drawn() -> None:
    drawings = [draw_shapes(OPTIONS, "train", index) for index in range(200)]
    counts = [len(drawing.shapes) for drawing in drawings]
    assert {0, 1, 2, 3, 4} == set(counts)
    assert {shape.label for drawing in drawings for shape in drawing.shapes} == set(range(len(CLASS_NAMES)))
    assert len({drawing.pixels.shape for drawing in drawings}) > 20
    for drawing in drawings:
        height, width = drawing.pixels.shape[:2]
        taken = np.zeros((height, width), int)
        for shape in drawing.shapes:
            rows, columns = np.nonzero(shape.mask)
            around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert np.abs(np.array(around) - shape.box).max() < 1.5
            assert min(shape.box) >= 0
            assert shape.box[2] <= width
            assert shape.box[3] <= height
            taken += shape.mask
            inside, outside = drawing.pixels[shape.mask], drawing.pixels[drawing.to_classes() == 0]
            assert np.linalg.norm(inside.mean(0) - outside.mean(0)) > 50
        assert taken.max(initial=0) <= 1


@pytest.mark.parametrize(
    ("head", "names", "has_masks"),
    [("retinanet", CLASS_NAMES, False), ("mask_rcnn", CLASS_NAMES, True), ("upernet", PIXEL_CLASS_NAMES, None)],
)
def test_heads_get_what_they_learn(head: str, names: tuple[str, ...], has_masks: bool | None) -> None:
    scenes = open_scenes(SOURCE, "train", HEADS[head])
    assert scenes.class_names == names
    assert len(scenes) == 12
    assert len(open_scenes(SOURCE, "validation", HEADS[head])) == 5
    scene = pickle.loads(pickle.dumps(scenes))[7]
    assert (scene.image.dtype, scene.image.shape[0]) == (torch.uint8, 3)
    size = tuple(scene.image.shape[1:])
    if isinstance(scene.target, PixelClasses):
        assert has_masks is None
        assert scene.target.classes.dtype == torch.int64
        assert tuple(scene.target.classes.shape) == size
    else:
        assert scene.target.size == size
        assert scene.target.boxes.shape == (len(scene.target.labels), 4)
        assert (scene.target.masks is not None) is has_masks
    assert scenes.describe(7) == "drawing 7"


@pytest.mark.parametrize("head", ["retinanet", "mask_rcnn", "upernet"])
def test_files_hold_the_same(written: tuple[Path, Path], head: str) -> None:
    coco, ade = written
    drawn = open_scene_splits(SOURCE, HEADS[head])
    read = open_scene_splits(ade if head == "upernet" else coco, HEADS[head])
    for some, others in zip(drawn, read, strict=True):
        assert some.class_names == others.class_names
        assert len(some) == len(others)
        assert others.notes == ()
        for index in range(len(some)):
            one, other = some[index], others[index]
            assert torch.equal(one.image, other.image)
            if isinstance(one.target, PixelClasses):
                assert isinstance(other.target, PixelClasses)
                assert torch.equal(one.target.classes, other.target.classes)
                continue
            assert isinstance(one.target, Objects)
            assert isinstance(other.target, Objects)
            assert one.target.size == other.target.size
            assert torch.equal(one.target.labels, other.target.labels)
            assert torch.allclose(one.target.boxes, other.target.boxes, atol=1e-4)
            assert one.target.areas is not None
            assert other.target.areas is not None
            assert torch.equal(one.target.areas, other.target.areas)
            assert other.target.is_crowd is not None
            assert not other.target.is_crowd.any()
            if head == "mask_rcnn":
                assert one.target.masks is not None
                assert other.target.masks is not None
                assert torch.equal(one.target.masks, other.target.masks)


def test_files_are_not_written_over(written: tuple[Path, Path]) -> None:
    with pytest.raises(SpecError, match="coco: is there already; name another folder, or remove it"):
        write_shapes(written[0].parent, OPTIONS)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpecError, match="file: is there already"):
        write_shapes(tmp_path / "file", OPTIONS)
    with pytest.raises(SpecError, match="can't be written: Not a directory; name another folder"):
        write_shapes(tmp_path / "file" / "inside", OPTIONS)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("shapes:sides=3", r"shapes:sides=3 sides: .*"),
        ("shapes:size=8", "size: 8"),
        ("shapes:train", "'train' sets nothing; write NAME=VALUE"),
    ],
)
def test_options_that_are_none(source: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        open_scenes(source, "train", HEADS["gfl"])
