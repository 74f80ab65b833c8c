"""Class indices that follow another order, and splits whose classes differ."""

from __future__ import annotations

from pathlib import Path

import pytest
from pictures import write_classes, write_splits

from hiri_spec.errors import SpecError
from hiri_spec.train.data import ImageSet, open_dataset, open_splits


def targets(images: ImageSet) -> list[int]:
    return [images[index][1] for index in range(len(images))]


def test_indices_follow_the_order_given(tmp_path: Path) -> None:
    write_classes(tmp_path, {"cat": 1, "dog": 2})
    images = open_dataset(tmp_path, "validation", resolution=(32, 32), class_names=["dog", "cow", "cat"])
    assert targets(images) == [2, 0, 0]
    assert images.class_names == ("dog", "cow", "cat")
    assert images.describe(0).endswith("cat/0.png")
    assert images.in_channels == 3


def test_numbers_are_indices_where_they_are_no_names(tmp_path: Path) -> None:
    write_classes(tmp_path, {"2": 1, "0": 1})
    trained = ["tench", "goldfish", "shark"]
    assert targets(open_dataset(tmp_path, "validation", resolution=(32, 32), class_names=trained)) == [0, 2]
    assert targets(open_dataset(tmp_path, "validation", resolution=(32, 32), class_names=["2", "0"])) == [1, 0]


@pytest.mark.parametrize("trained", [["cat", "cow"], ["cat"]], ids=str)
def test_classes_that_are_not_trained(tmp_path: Path, trained: list[str]) -> None:
    write_classes(tmp_path, {"cat": 1, "dog": 1})
    told = f"{tmp_path}: has classes that are not trained: 'dog'; remove them, or name them like those of training"
    with pytest.raises(SpecError, match=told):
        open_dataset(tmp_path, "validation", resolution=(32, 32), class_names=trained)


def test_numbers_beyond_the_classes(tmp_path: Path) -> None:
    write_classes(tmp_path, {"0": 1, "3": 1})
    with pytest.raises(SpecError, match="has classes that are not trained: '0', '3'"):
        open_dataset(tmp_path, "validation", resolution=(32, 32), class_names=["a", "b", "c"])


def test_classes_without_validation_images(tmp_path: Path) -> None:
    write_splits(tmp_path, {"cat": 1, "dog": 1}, {"cat": 1})
    told = "has no validation images of 'dog'; add some, or remove their training images"
    with pytest.raises(SpecError, match=told):
        open_splits(tmp_path, resolution=(32, 32))


def test_classes_without_training_images(tmp_path: Path) -> None:
    write_splits(tmp_path, {"cat": 1}, {"cat": 1, "dog": 1})
    with pytest.raises(SpecError, match="has classes that are not trained: 'dog'"):
        open_splits(tmp_path, resolution=(32, 32))


@pytest.mark.parametrize("source", ["digits", "finegrain:train=32,validation=16"])
def test_built_in_splits_share_their_classes(source: str) -> None:
    training, validation = open_splits(source, resolution=(32, 32), in_channels=1)
    assert training.class_names == validation.class_names
    assert (training.in_channels, validation.in_channels) == (1, 1)
