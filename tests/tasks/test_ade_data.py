"""ADE20K's layout: what is read is what is written, and what is wrong is told before anything is trained."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from hiri_spec.errors import SpecError
from hiri_spec.tasks.data import SceneSet, open_scene_splits, open_scenes
from hiri_spec.tasks.heads import HEADS
from hiri_spec.tasks.scenes import IGNORED, PixelClasses

SIZE = (6, 8)
TABLE = "Idx\tRatio\tTrain\tVal\tStuff\tName\n1\t0.1\t11664\t1172\t1\twall\n2\t0.1\t6046\t612\t1\tbuilding, edifice\n"


def write(root: Path, names: str | None = "wall\nbuilding, edifice\n") -> Path:
    """Three training images and two for validation; image number n is of a grey n, the classes are 0, 1, 2 in turn."""
    if names is not None:
        (root / "classes.txt").write_text(names)
    for split, numbers in (("training", (10, 2, 1)), ("validation", (1, 2))):
        for kind in ("images", "annotations"):
            (root / kind / split).mkdir(parents=True)
        for number in numbers:
            Image.new("RGB", SIZE[::-1], (number,) * 3).save(root / "images" / split / f"ADE_{number}.jpg")
            Image.fromarray(labels()).save(root / "annotations" / split / f"ADE_{number}.png")
    return root


def labels() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return (np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) % 3).astype(np.uint8)


def opened(root: Path) -> SceneSet:
    return open_scenes(root, "train", HEADS["upernet"])


def test_pixel_classes_are_those_of_the_files(tmp_path: Path) -> None:
    training, validation = open_scene_splits(write(tmp_path), HEADS["upernet"])
    training = pickle.loads(pickle.dumps(training))
    assert (len(training), len(validation)) == (3, 2)
    assert training.class_names == ("wall", "building, edifice")
    assert [int(training[index].image.float().mean()) for index in range(3)] == [1, 2, 10]  # not as their digits go
    assert training.describe(2) == str(tmp_path / "images" / "training" / "ADE_10.jpg")
    scene = training[0]
    assert (scene.image.dtype, tuple(scene.image.shape)) == (torch.uint8, (3, *SIZE))
    assert isinstance(scene.target, PixelClasses)
    assert scene.target.classes.dtype == torch.int64
    expected = torch.tensor([IGNORED, 0, 1])[torch.from_numpy(labels()).long()]
    assert torch.equal(scene.target.classes, expected)


def test_class_names_stand_in_ades_own_table(tmp_path: Path) -> None:
    write(tmp_path, names=None)
    (tmp_path / "objectInfo150.txt").write_text(TABLE)
    assert opened(tmp_path).class_names == ("wall", "building, edifice")


def test_annotations_may_have_a_palette(tmp_path: Path) -> None:
    write(tmp_path)
    picture = Image.fromarray(labels())
    picture.putpalette([value for number in range(256) for value in (255 - number, 0, number)])
    picture.save(tmp_path / "annotations" / "training" / "ADE_1.png")
    target = opened(tmp_path)[0].target
    assert isinstance(target, PixelClasses)
    assert target.classes[0, :3].tolist() == [IGNORED, 0, 1]


def remove(path: str) -> Callable[[Path], object]:
    return lambda root: (root / path).unlink()


def annotate(picture: Image.Image) -> Callable[[Path], object]:
    return lambda root: picture.save(root / "annotations" / "training" / "ADE_1.png")


def write_names(file: str, text: str) -> Callable[[Path], object]:
    return lambda root: (root / file).write_text(text)


def empty_images(root: Path) -> None:
    for file in (root / "images" / "training").iterdir():
        file.unlink()


def move_images(root: Path) -> None:
    (root / "images" / "training").rename(root / "images" / "trainig")


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no classes": (
        remove("classes.txt"),
        r"has no objectInfo150.txt and no classes.txt; write the names of its classes",
    ),
    "empty classes": (write_names("classes.txt", "\n\n"), r"classes.txt: has no classes in it; write one for each"),
    "no column": (
        write_names("objectInfo150.txt", "a\tb\n1\t2\n"),
        r"objectInfo150.txt: has no column Name in its first",
    ),
    "no name": (
        write_names("objectInfo150.txt", "Idx\tName\n1\twall\n2\t\n"),
        r"objectInfo150.txt: class 2 has no name; write one for each",
    ),
    "too many": (
        write_names("classes.txt", "".join(f"{n}\n" for n in range(256))),
        r"has 256 classes, and annotations of 8 bits have room for 255; leave some out",
    ),
    "no annotation": (
        remove("annotations/training/ADE_2.png"),
        r"annotations/training: has no annotations of some images: 'ADE_2.png'; add them, or remove the images",
    ),
    "no images": (empty_images, r"images/training: has no images \(.jpg, .*\) in it; put some there"),
    "no folder": (move_images, r"images/training: no such folder, so there is no train split; put its images there"),
    "colours": (
        annotate(Image.new("RGB", SIZE[::-1])),
        r"ADE_1.png: the annotation ADE_1.png is of mode RGB, with colours or more than 8 bits; save one number",
    ),
    "16 bits": (annotate(Image.new("I;16", SIZE[::-1])), r"is of mode I;16, with colours or more than 8 bits"),
    "beyond the classes": (
        annotate(Image.fromarray(labels() + np.uint8(1))),
        r"has a 3 in row 0, column 2, and there are 2 classes; name them all, or write 0 for no class",
    ),
    "no image": (
        lambda root: (root / "annotations" / "training" / "ADE_1.png").write_text("no image"),
        r"cannot identify image file",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), BAD.values(), ids=BAD)
def test_what_is_wrong_with_pixel_classes(tmp_path: Path, spoil: Callable[[Path], object], message: str) -> None:
    spoil(write(tmp_path))
    with pytest.raises(SpecError, match=message) as caught:
        opened(tmp_path)
    assert caught.value.problems[0].file.startswith(str(tmp_path))


def test_annotations_of_another_size_are_unreadable(tmp_path: Path) -> None:
    annotate(Image.new("L", (9, 5)))(write(tmp_path))
    scenes = opened(tmp_path)
    with pytest.raises(ValueError, match=r"it is 6 x 8 pixels \(height x width\), and its annotation is for 5 x 9"):
        scenes[0]


def test_other_annotations_are_told_of_when_they_are_read(tmp_path: Path) -> None:
    write(tmp_path)
    Image.new("RGB", SIZE[::-1]).save(tmp_path / "annotations" / "training" / "ADE_2.png")
    scenes = opened(tmp_path)
    with pytest.raises(ValueError, match=r"the annotation ADE_2.png is of mode RGB"):
        scenes[1]
