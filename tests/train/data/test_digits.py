"""scikit-learn's digits."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from hiri_spec.errors import SpecError
from hiri_spec.train.data import open_dataset


def test_the_splits_are_stratified_and_apart() -> None:
    splits = [open_dataset("digits", split, resolution=(32, 32)) for split in ("train", "validation")]
    assert [len(images) for images in splits] == [1442, 355]
    assert splits[0].class_names == tuple("0123456789")
    names = [{images.describe(index) for index in range(len(images))} for images in splits]
    assert len(names[0] | names[1]) == 1797
    counts = [np.bincount([images[index][1] for index in range(len(images))]) for images in splits]
    assert counts[1].min() >= 34
    assert np.allclose(counts[1] / counts[0], 1 / 4, atol=0.01)


def test_they_are_always_the_same_ones() -> None:
    images = open_dataset("digits", "validation", resolution=(32, 32))
    assert [images.describe(index) for index in range(3)] == [f"digit {n} of scikit-learn's" for n in (33, 36, 37)]
    assert [images[index][1] for index in range(8)] == [5, 0, 9, 8, 7, 1, 2, 6]


@pytest.mark.parametrize(("in_channels", "mode"), [(1, "L"), (3, "RGB")])
@pytest.mark.parametrize("resolution", [(8, 8), (64, 64), (64, 96), (96, 64)], ids=str)
def test_they_are_enlarged_upright(resolution: tuple[int, int], in_channels: int, mode: str) -> None:
    image, target = open_dataset("digits", "train", resolution=resolution, in_channels=in_channels)[0]
    assert (image.mode, image.size, target) == (mode, resolution[::-1], 0)
    pixels = np.array(image.convert("L"))
    assert pixels.max() > 200
    side = min(resolution)
    margins = (resolution[0] - side) // 2, (resolution[1] - side) // 2
    outside = pixels.copy()
    outside[margins[0] : margins[0] + side, margins[1] : margins[1] + side] = 0
    assert not outside.any()


def test_what_is_told_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(
        SpecError, match=r"digits: .* scikit-learn, which is not installed; pip install 'hiri-spec\[train\]'"
    ):
        open_dataset("digits", "train", resolution=(32, 32))
