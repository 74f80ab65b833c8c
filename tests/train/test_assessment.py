"""Scores, the confusion of classes, and whose classes are which."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from trained_runs import save_digits

from hiri_spec import SpecError
from hiri_spec.train.assessment import assess, open_images
from hiri_spec.train.augmentation import Augmentation
from hiri_spec.train.data.images import ImageSet, Sample
from hiri_spec.train.prediction import predict
from hiri_spec.train.trained import Trained, load_trained


class Shades(nn.Module):
    """Takes an image of brightness 40 k for class k."""

    def forward(self, images: Tensor) -> Tensor:
        told = (images.mean(dim=(1, 2, 3)) * 255 / 40).round().long()
        return nn.functional.one_hot(told, 6).float()


class Shaded(ImageSet):
    """Even images, as (brightness, class)."""

    def __init__(self, samples: Sequence[tuple[int, int]]) -> None:
        self.samples, self.class_names, self.in_channels = samples, tuple("abcdef"), 3

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        shade, target = self.samples[index]
        if shade < 0:
            raise OSError("black hole")
        return Image.new("RGB", (40, 40), (40 * shade,) * 3), target

    def describe(self, index: int) -> str:
        return f"sample {index}"


SHADES = Trained(
    Shades(),
    "shades",
    Path("nowhere"),
    6,
    ("a", "b", "c", "d"),
    (32, 32),
    3,
    Augmentation(mean=(0, 0, 0), std=(1, 1, 1)),
)


def test_confusion() -> None:
    # class 0 is right twice, 1 is taken for 2 twice and for 0 once, 3 for 5 once and right once
    samples = [(0, 0), (0, 0), (2, 1), (2, 1), (0, 1), (1, 1), (5, 3), (3, 3)]
    seen: list[int] = []
    done = assess(SHADES, Shaded(samples), batch_size=3, advance=seen.append)
    assert [(each.name, each.images, each.top1, each.mistaken_for, each.mistaken_images) for each in done.classes] == [
        ("b", 4, 25.0, "c", 2),
        ("d", 2, 50.0, "5", 1),  # which has no name
        ("a", 2, 100.0, None, 0),
    ]
    assert (done.images, done.scores.top1, sum(seen)) == (8, 50.0, 8)


def test_unreadable_images_are_counted() -> None:
    done = assess(SHADES, Shaded([(0, 0), (-1, 1), (1, 1)]))
    assert (done.images, done.scores.top1, done.unreadable) == (2, 100.0, {"sample 1": "black hole"})
    with pytest.raises(SpecError, match="2 of 3 images can't be read, and 1 may be passed over"):
        assess(SHADES, Shaded([(0, 0), (-1, 1), (-1, 1)]))


@pytest.mark.parametrize(("ema", "prefix"), [(False, ""), (True, "ema_")], ids=["network", "average"])
def test_figures_are_those_of_the_training(digits_run: Path, ema: bool, prefix: str) -> None:
    rows = list(csv.DictReader((digits_run / "metrics.csv").read_text().splitlines()))
    best = max(rows, key=lambda row: float(row[f"{prefix}top1"]))
    trained = load_trained(digits_run, ema=ema)
    scores = assess(trained, open_images(trained, "digits", "validation"), batch_size=128).scores
    assert scores.top1 == pytest.approx(float(best[f"{prefix}top1"]), abs=1e-4)
    assert scores.top5 == pytest.approx(float(best[f"{prefix}top5"]), abs=1e-4)
    assert scores.loss == pytest.approx(float(best[f"{prefix}loss"]), abs=1e-4)


def test_figures_agree_with_predictions(digits_run: Path, tmp_path: Path) -> None:
    trained = load_trained(digits_run)
    paths = save_digits(tmp_path, 60)
    done = assess(trained, open_images(trained, str(tmp_path), "validation"))
    right = [each.guesses[0].name == each.image.parent.name for each in predict(trained, paths, top=1)]
    assert 0 < sum(right) < len(right)
    assert done.scores.top1 == pytest.approx(100 * sum(right) / len(right))


def test_classes_go_by_name_and_some_may_be_missing(digits_run: Path, tmp_path: Path) -> None:
    save_digits(tmp_path)
    for name in tmp_path.iterdir():
        if name.name not in "37":
            name.rename(name.with_name(f".{name.name}"))
    trained = load_trained(digits_run)
    images = open_images(trained, str(tmp_path), "validation")
    assert {images[index][1] for index in range(len(images))} == {3, 7}


def test_numbers_are_indices_where_they_are_no_names(digits_run: Path, tmp_path: Path) -> None:
    save_digits(tmp_path, 20)
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    named = replace(load_trained(digits_run), class_names=names)
    images = open_images(named, str(tmp_path), "validation")
    expected = [int(Path(images.describe(index)).parent.name) for index in range(len(images))]
    assert [images[index][1] for index in range(len(images))] == expected


def test_numbers_are_indices_where_nobody_knows_names(digits_run: Path, tmp_path: Path) -> None:
    trained = replace(load_trained(digits_run), class_names=None)
    for name in ("9", "2"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (32, 32)).save(tmp_path / name / "a.png")
    images = open_images(trained, str(tmp_path), "validation")
    assert [images[index][1] for index in range(2)] == [2, 9]


def write_letters(folder: Path, letters: str) -> str:
    for letter in letters:
        (folder / letter).mkdir()
        Image.new("RGB", (32, 32)).save(folder / letter / "a.png")
    return str(folder)


def test_as_many_unknown_classes_come_in_their_order(digits_run: Path, tmp_path: Path) -> None:
    trained = replace(load_trained(digits_run), class_names=None)
    assert open_images(trained, write_letters(tmp_path, "abcdefghij"), "validation")[9][1] == 9


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (None, r"has 3 classes \('a', 'b', 'c'\), and mini gives 10 scores; name the data that it was trained for, or"),
        (tuple("bcdefghijk"), "has classes that are not trained: 'a'; remove them, or name them like those of train"),
    ],
    ids=["number", "names"],
)
def test_other_classes(digits_run: Path, tmp_path: Path, names: tuple[str, ...] | None, message: str) -> None:
    trained = replace(load_trained(digits_run), class_names=names)
    with pytest.raises(SpecError, match=message):
        open_images(trained, write_letters(tmp_path, "abc"), "validation")


@pytest.mark.parametrize(
    ("device", "message"), [("cuda", "there is no CUDA device here"), ("tpu", "'tpu' is none of auto, cpu, cuda")]
)
def test_devices(device: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SpecError, match=message):
        assess(SHADES, Shaded([(0, 0)]), device=device)
    with pytest.raises(SpecError, match=message):
        list(predict(SHADES, [], device=device))
