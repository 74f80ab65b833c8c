"""Folders and tar files of images: what is found in them, and what is told where something is wrong."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pictures import picture, write_classes, write_splits

from hiri_spec.errors import SpecError
from hiri_spec.train.augmentation import Augmentation
from hiri_spec.train.data import ImageSet, make_loader, open_dataset, open_splits


def opened(source: str | Path, split: Any = "train", **options: Any) -> ImageSet:
    return open_dataset(source, split, resolution=(32, 32), **options)


def refused(source: str | Path, split: Any = "train") -> str:
    with pytest.raises(SpecError, match=r".") as caught:
        opened(source, split)
    return str(caught.value)


def packed(folder: Path, file: Path) -> Path:
    with tarfile.open(file, "w") as tar:
        for path in sorted(folder.rglob("*.png")):
            tar.add(path, path.relative_to(folder))
    return file


def contents(images: ImageSet) -> list[tuple[int, bytes]]:
    return sorted((images[index][1], images[index][0].tobytes()) for index in range(len(images)))


def test_a_folder_a_class(tmp_path: Path) -> None:
    write_splits(tmp_path, {"dog": 2, "cat": 3}, {"dog": 1, "cat": 1})
    training, validation = open_splits(tmp_path, resolution=(32, 32))
    assert training.class_names == validation.class_names == ("cat", "dog")
    assert [training[index][1] for index in range(5)] == [0, 0, 0, 1, 1]
    assert training.describe(4) == str(tmp_path / "train" / "dog" / "1.png")
    assert training[0][0].size == (48, 40)
    assert np.array_equal(training[3][0], picture(1))  # dog was written first
    assert opened(tmp_path, in_channels=1)[0][0].mode == "L"
    assert contents(opened(str(tmp_path))) == contents(training)


def test_images_deeper_down_belong_to_the_class_on_top(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"cat/persian": 1, "cat/siamese": 2, "dog": 1})
    images = opened(tmp_path)
    assert images.class_names == ("cat", "dog")
    assert [images[index][1] for index in range(4)] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("split", "name"),
    [("train", "train"), ("train", "training")]
    + [("validation", name) for name in ("validation", "val", "valid", "eval", "evaluation", "test")],
)
def test_names_of_splits(tmp_path: Path, split: str, name: str) -> None:
    write_classes(tmp_path / name, {"cat": 1})
    assert len(opened(tmp_path, split)) == 1


def test_the_first_name_that_is_there_is_taken(tmp_path: Path) -> None:
    for count, name in enumerate(("test", "val"), 1):
        write_classes(tmp_path / name, {"cat": count})
    assert len(opened(tmp_path, "validation")) == 2


def test_numbered_classes_go_by_size(tmp_path: Path) -> None:
    # as in ImageNet-V2, which is one folder without splits
    write_classes(tmp_path, {str(number): 1 for number in range(12)})
    images = opened(tmp_path, "validation")
    assert images.class_names == tuple(str(number) for number in range(12))
    found = {Path(images.describe(index)).parent.name: images[index][1] for index in range(12)}
    assert found == {str(number): number for number in range(12)}


def test_hidden_folders_are_no_classes(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"cat": 1, ".ipynb_checkpoints": 1})
    assert opened(tmp_path).class_names == ("cat",)


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp", ".bmp", ".tif"])
def test_kinds_of_files(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "train" / "cat").mkdir(parents=True)
    picture(0).save(tmp_path / "train" / "cat" / f"0{suffix}")
    (tmp_path / "train" / "cat" / "notes.txt").write_text("no image")
    images = opened(tmp_path)
    assert len(images) == 1
    assert images[0][0].size == (48, 40)


def test_tar_files_are_like_their_folders(tmp_path: Path) -> None:
    folder = write_splits(tmp_path / "folder", {"10": 2, "9": 3}, {"9": 1, "10": 1})
    (tmp_path / "packed").mkdir()
    for name in ("train", "val"):
        packed(folder / name, tmp_path / "packed" / f"{name}.tar")
    images = opened(tmp_path / "packed")
    assert images.class_names == ("9", "10")
    assert images.describe(0) == f"9/0.png in {tmp_path / 'packed' / 'train.tar'}"
    assert contents(images) == contents(opened(folder))
    alone = opened(tmp_path / "packed" / "val.tar", "validation")
    assert contents(alone) == contents(opened(folder, "validation"))
    assert len(opened(tmp_path / "packed", "validation")) == 2


def test_a_tar_file_a_class(tmp_path: Path) -> None:
    folder = write_classes(tmp_path / "folder", {"cat": 2, "dog": 1})
    (tmp_path / "packed" / "train").mkdir(parents=True)
    for name in ("cat", "dog"):
        packed(folder / name, tmp_path / "packed" / "train" / f"{name}.tar")
    images = opened(tmp_path / "packed")
    assert images.class_names == ("cat", "dog")
    assert contents(images) == contents(opened(folder, "validation"))


def test_workers_read_a_tar_file_that_was_read_before_them(tmp_path: Path) -> None:
    folder = write_classes(tmp_path / "train", {"cat": 20, "dog": 20})
    packed(folder, tmp_path / "data.tar")
    images = opened(tmp_path / "data.tar", "validation")
    assert images[0][1] == 0
    batches = [
        list(
            make_loader(
                images,
                augmentation=Augmentation(),
                batch_size=4,
                resolution=(32, 32),
                is_training=False,
                workers=workers,
            ).epoch(0)
        )
        for workers in (0, 2)
    ]
    assert len(batches[0]) == 10
    for one, other in zip(*batches, strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "imagenet") == (
        f"{tmp_path / 'imagenet'}: no such folder, and no built-in data of that name; known: digits, finegrain"
    )
    assert "did you mean 'finegrain'?" in refused("finegrian")


def test_a_file_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data.zip").write_bytes(b"PK")
    assert "data.zip: is neither a folder nor a .tar file; name the folder" in refused(tmp_path / "data.zip")


def test_a_split_that_is_missing(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"cat": 1})
    assert refused(tmp_path, "validation") == (
        f"{tmp_path}: has no validation split; put its images into {tmp_path / 'validation'}, a folder a class "
        "(it may be called val, valid, eval, evaluation, test too)"
    )
    assert "has no train split; put its images into" in refused(tmp_path / "train")


def test_a_tar_file_has_one_split(tmp_path: Path) -> None:
    write_classes(tmp_path / "data", {"cat": 1})
    told = refused(packed(tmp_path / "data", tmp_path / "data.tar"))
    assert told.endswith("has no train split; put train.tar and validation.tar into one folder, and name that")


def test_classes_without_images(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"cat": 1, "cow": 0})
    assert f"{tmp_path / 'train'}: 'cow' has no images (.jpg, " in refused(tmp_path)
    assert refused(tmp_path).endswith("in it; put some there, or remove the folder")
    for number in range(7):
        (tmp_path / "train" / f"empty{number}").mkdir()
    assert "'cow', 'empty0', 'empty1', 'empty2', 'empty3' and 3 more" in refused(tmp_path)


@pytest.mark.parametrize("has_images", [True, False])
def test_a_folder_without_classes(tmp_path: Path, has_images: bool) -> None:
    (tmp_path / "train").mkdir()
    if has_images:
        picture(0).save(tmp_path / "train" / "0.png")
    told = refused(tmp_path)
    assert told == f"{tmp_path / 'train'}: has no folders in it; put the images of each class into a folder of its name"


@pytest.mark.parametrize("content", [b"", b"no tar file at all" * 100], ids=["empty", "other"])
def test_a_tar_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train.tar").write_bytes(content)
    assert "train.tar: can't be read as a tar file of images (" in refused(tmp_path)


def test_a_tar_file_without_folders(tmp_path: Path) -> None:
    folder = write_classes(tmp_path, {"cat": 1})
    packed(folder / "cat", tmp_path / "train.tar")
    assert refused(tmp_path).endswith("has images outside of folders; put those of each class into one")


def test_folders_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # whoever runs the tests may be root, who may read everything
    write_classes(tmp_path / "train", {"cat": 1, "dog": 1})
    closed = {tmp_path / "train" / "dog"}
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) not in closed)
    assert refused(tmp_path) == (
        f"{tmp_path / 'train'}: 'dog' can't be read: permission denied; give yourself the right to read it"
    )

    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    assert f"{tmp_path / 'train'}: can't be read: Permission denied; give yourself the right" in refused(tmp_path)


def test_an_image_that_is_removed_later_is_one_that_cannot_be_read(tmp_path: Path) -> None:
    images = opened(write_classes(tmp_path, {"cat": 8}), "validation")
    shutil.rmtree(tmp_path / "cat")
    batches = make_loader(images, augmentation=Augmentation(), batch_size=4, resolution=(32, 32), is_training=False)
    with pytest.raises(SpecError, match=r"cat/0.png \(No such file or directory\)"):
        list(batches.epoch(0))
