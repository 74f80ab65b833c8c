"""The likeliest classes of image files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from trained_runs import save_digits

from hiri_spec import SpecError
from hiri_spec.train.prediction import predict
from hiri_spec.train.trained import Trained, load_trained


@pytest.fixture(scope="module")
def trained(digits_run: Path) -> Trained:
    return load_trained(digits_run)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return save_digits(tmp_path_factory.mktemp("images"), 7)


def test_probabilities_are_the_networks(trained: Trained, digits: list[Path]) -> None:
    from PIL import Image

    from hiri_spec.train.data.transform import make_transform, normalisation

    transform = make_transform(trained.augmentation, (32, 32), is_training=False)
    mean, std = (torch.tensor(each).view(3, 1, 1) * 255 for each in normalisation(trained.augmentation, 3))
    pixels = torch.stack([transform(Image.open(path).convert("RGB")) for path in digits]).float()
    with torch.no_grad():
        expected = trained.model((pixels - mean) / std).softmax(dim=1)
    for prediction, own in zip(predict(trained, digits, top=10), expected, strict=True):
        assert sorted(guess.index for guess in prediction.guesses) == list(range(10))
        values = [guess.probability for guess in prediction.guesses]
        assert values == sorted(values, reverse=True)
        assert values == pytest.approx([float(own[guess.index]) for guess in prediction.guesses], abs=1e-5)


@pytest.mark.parametrize(("top", "count"), [(1, 1), (5, 5), (99, 10)])
def test_top(trained: Trained, digits: list[Path], top: int, count: int) -> None:
    assert {len(each.guesses) for each in predict(trained, digits, top=top)} == {count}


@pytest.mark.parametrize("batch_size", [1, 2, 64])
@pytest.mark.parametrize(
    "bad", [{0}, {3, 4}, {6}, set(range(7)), set()], ids=["first", "middle", "last", "all", "none"]
)
def test_what_cannot_be_read_keeps_its_place(
    trained: Trained, digits: list[Path], tmp_path: Path, bad: set[int], batch_size: int
) -> None:
    cut = tmp_path / "cut.png"
    cut.write_bytes(digits[0].read_bytes()[:200])
    paths = [cut if place in bad else path for place, path in enumerate(digits)]
    seen: list[int] = []
    predictions = list(predict(trained, paths, batch_size=batch_size, advance=seen.append))
    assert [each.image for each in predictions] == paths
    assert {place for place, each in enumerate(predictions) if each.problem is not None} == bad
    assert all(bool(each.guesses) == (each.problem is None) for each in predictions)
    assert sum(seen) == len(paths)


@pytest.mark.slow
def test_other_processes_read_the_same(trained: Trained, digits: list[Path]) -> None:
    own = list(predict(trained, digits, batch_size=3))
    assert list(predict(trained, digits, batch_size=3, workers=2)) == own


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"in_channels": 4}, {}, r"in_channels: 4: image files have 1 channel \(grey\) or 3 \(colour\)"),
        ({}, {"top": 0}, "top: 0 is too small; use 1 or more"),
        ({}, {"batch_size": 0}, "batch_size: 0 is too small; use 1 or more"),
    ],
    ids=["channels", "top", "batch"],
)
def test_mistakes(
    trained: Trained, digits: list[Path], change: dict[str, int], options: dict[str, int], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        list(predict(replace(trained, **change), digits, **options))
