"""Data sets that timm opens by name."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pictures import picture, write_splits

from hiri_spec.errors import SpecError
from hiri_spec.train.data import open_splits
from hiri_spec.train.data.source import open_dataset


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """Files like MNIST's, of 20 training images and 10 others."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, count in (("train", 20), ("t10k", 10)):
        images = np.random.default_rng(count).integers(256, size=(count, 28, 28), dtype=np.uint8)
        targets = (np.arange(count) % 10).astype(np.uint8)
        header = struct.pack(">iiii", 2051, count, 28, 28)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">ii", 2049, count) + targets.tobytes())
    return tmp_path


@pytest.mark.parametrize(("in_channels", "mode"), [(1, "L"), (3, "RGB")])
def test_a_set_of_torchvisions(mnist: Path, in_channels: int, mode: str) -> None:
    source = f"torch/mnist:root={mnist}"
    training, validation = open_splits(source, resolution=(32, 32), in_channels=in_channels)
    assert (len(training), len(validation)) == (20, 10)
    assert training.class_names[:2] == ("0 - zero", "1 - one")
    image, target = validation[3]
    assert (image.mode, image.size, target) == (mode, (28, 28), 3)
    assert validation.describe(3) == f"image 3 of {source}"


def test_torchvisions_own_folders(tmp_path: Path) -> None:
    write_splits(tmp_path, {"cat": 2, "dog": 1}, {"cat": 1, "dog": 1})
    training, validation = open_splits(f"torch/folder:root={tmp_path}", resolution=(32, 32))
    assert (len(training), len(validation), training.class_names) == (3, 2, ("cat", "dog"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("torch/mnist", "can't be opened: Dataset not found. You can use download=True to download it"),
        ("torch/nothing", "can't be opened: Unknown torchvision dataset nothing"),
    ],
)
def test_sets_that_are_not_there(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        open_dataset(f"{name}:root={tmp_path}", "train", resolution=(32, 32))


def hub(names: list[str] | None) -> ModuleType:
    """A stand-in for Hugging Face's datasets, as far as timm asks it."""

    class Split:
        def __init__(self, split: str) -> None:
            self.count = {"train": 6, "test": 3}[split]
            self.info = SimpleNamespace(features={"label": SimpleNamespace(names=names)}, splits=None)

        def cast_column(self, *_: object) -> Split:
            return self

        def __len__(self) -> int:
            return self.count

        def __getitem__(self, index: int) -> dict[str, Any]:
            stream = io.BytesIO()
            picture(index).save(stream, "png")
            return {"image": {"bytes": stream.getvalue()}, "label": index % 2}

    module = ModuleType("datasets")
    module.__spec__ = SimpleNamespace()  # type: ignore[assignment]
    module.Image = lambda decode: None  # type: ignore[attr-defined]
    module.load_dataset = lambda name, split, cache_dir: Split(split)  # type: ignore[attr-defined]
    return module


@pytest.fixture
def reader_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "timm.data.readers.reader_hfds", raising=False)


@pytest.mark.usefixtures("reader_anew")
def test_a_set_of_the_hubs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", hub(["ham", "eggs"]))
    training, validation = open_splits("hfds/me/food:validation=test", resolution=(32, 32))
    assert (len(training), len(validation), training.class_names) == (6, 3, ("ham", "eggs"))
    image, target = training[3]
    assert np.array_equal(image, picture(3))
    assert target == 1
    assert training.describe(3) == "image 3 of hfds/me/food:validation=test"
    with pytest.raises(SpecError, match="hfds/me/food: can't be opened: 'validation'"):
        open_dataset("hfds/me/food", "validation", resolution=(32, 32))


@pytest.mark.usefixtures("reader_anew")
def test_a_set_of_the_hubs_without_names_of_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", hub(None))
    with pytest.raises(SpecError, match="its column 'label' has no names of classes; name another"):
        open_dataset("hfds/me/food", "train", resolution=(32, 32))


def test_what_is_told_without_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hiri_spec.train.data.named.find_spec", lambda name: None)
    with pytest.raises(SpecError, match="needs Hugging Face's datasets, which is not installed; pip install datasets"):
        open_dataset("hfds/food101", "train", resolution=(32, 32))
