"""What a data source's text says."""

from __future__ import annotations

from pathlib import Path

import pytest
from pictures import write_classes

from hiri_spec.errors import SpecError
from hiri_spec.train.data import open_dataset


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("finegrain:classes=7", r"finegrain:classes=7 classes: 7 is not shapes x textures, .*; use 6, 8, 9"),
        ("finegrain:classes=16.5", "classes: 16.5 is not a whole number; use 16 or 17"),
        ("finegrain:train=0", "train: 0 is too small; use 1 or more"),
        ("finegrain:trian=10", "a data source has no field 'trian'; did you mean 'train'?"),
        ("finegrain:train", "'train' sets nothing; write NAME=VALUE"),
        ("finegrain:train=10,", "'' sets nothing; write NAME=VALUE"),
        ("finegrain:seed=-1", "seed: -1 is too small; use 0 or more"),
        ("digits:size=8", "a data source has no field 'size'"),
        ("torch/mnist:download=perhaps", "download: 'perhaps' is neither true nor false"),
        ("hfids/food101", "is read from its beginning on, so no run could go on in the middle of it"),
        ("WDS/shards", "use hfds/ or a folder"),
        ("", "no such folder, and no built-in data of that name; name a folder, or use digits or finegrain"),
        ("a" * 5000, "File name too long"),
        ("digit", "did you mean 'digits'?"),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_refused(source: str, told: str) -> None:
    with pytest.raises(SpecError, match=told.replace("?", r"\?")):
        open_dataset(source, "train", resolution=(32, 32))


def test_options() -> None:
    images = open_dataset("finegrain:classes=8, train=24,seed=3", "train", resolution=(32, 32))
    assert (len(images), len(images.class_names)) == (24, 8)


def test_a_split_that_is_none() -> None:
    with pytest.raises(SpecError, match="split: 'test' is no split; use train or validation"):
        open_dataset("digits", "test", resolution=(32, 32))  # type: ignore[arg-type]


def test_channels_that_no_image_has() -> None:
    with pytest.raises(SpecError, match=r"in_channels: 4: images have 1 channel \(grey\) or 3 \(colour\)"):
        open_dataset("digits", "train", resolution=(32, 32), in_channels=4)


def test_a_folder_called_like_built_in_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_classes(tmp_path / "digits" / "train", {"cat": 1})
    monkeypatch.chdir(tmp_path)
    assert len(open_dataset("digits", "train", resolution=(32, 32))) == 1442
    for source in ("./digits", Path("digits")):
        assert open_dataset(source, "train", resolution=(32, 32)).class_names == ("cat",)


def test_the_home_folder_and_colons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_classes(tmp_path / "set:a=1" / "train", {"cat": 1})
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(open_dataset("~/set:a=1", "train", resolution=(32, 32))) == 1
