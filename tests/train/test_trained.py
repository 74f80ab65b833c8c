"""What was trained is found again, with all that belongs to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import SMALL, edit_header
from safetensors.torch import load_file, save_file

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.train.trained import load_trained


@pytest.mark.parametrize(
    ("options", "name"),
    [({}, "best"), ({"ema": True}, "best_ema"), ({"last": True}, "last"), ({"ema": True, "last": True}, "last_ema")],
    ids=["best", "average", "last", "last of the average"],
)
def test_weights_of_a_run(digits_run: Path, options: dict[str, bool], name: str) -> None:
    trained = load_trained(digits_run, **options)
    assert trained.weights == digits_run / name / "model.safetensors"
    assert not trained.model.training
    own = trained.model.state_dict()
    assert all(torch.equal(own[key], tensor) for key, tensor in load_file(trained.weights).items())


@pytest.mark.parametrize(
    ("here", "inside"),
    [(".", "best"), (".", "best/model.safetensors"), ("best", "."), ("best", "model.safetensors")],
    ids=["folder", "file", "this folder", "in this folder"],
)
def test_what_belongs_to_weights_in_a_run(
    digits_run: Path, monkeypatch: pytest.MonkeyPatch, here: str, inside: str
) -> None:
    monkeypatch.chdir(digits_run / here)
    trained = load_trained(inside)
    assert (trained.name, trained.data, trained.resolution) == ("mini", "digits", (32, 32))
    assert trained.class_names == tuple("0123456789")
    assert trained.augmentation.crop_fraction == 1  # the recipe's


@pytest.mark.parametrize("run", ["digits_run", "timm_run"])
def test_weights_take_what_belongs_to_them_along(run: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = request.getfixturevalue(run)
    file = tmp_path / "mine.safetensors"
    shutil.copy(place / "best" / "model.safetensors", file)
    copied, there = load_trained(file), load_trained(place)
    assert copied.class_names == there.class_names == tuple("0123456789")
    assert (copied.data, copied.resolution) == (None, (32, 32))
    for field in ("mean", "std", "crop_fraction", "interpolation"):
        assert getattr(copied.augmentation, field) == getattr(there.augmentation, field)
    assert copied.augmentation.crop_fraction == 1
    hiri_spec.load_weights(copied.model, file)


def test_plain_weights(tmp_path: Path) -> None:
    hiri_spec.build(SMALL).save_pretrained(tmp_path)
    trained = load_trained(tmp_path)
    assert (trained.classes, trained.class_names, trained.data, trained.resolution) == (10, None, None, (64, 64))
    assert trained.augmentation.crop_fraction == 0.9  # timm's pretrained_cfg
    assert trained.name_class(7) == "7"


@pytest.mark.parametrize("text", ["", "{}", '{"class_names": ["a"], "augmentation": {"mean": "grey"}}'])
def test_weights_whose_belongings_cannot_be_read(digits_run: Path, tmp_path: Path, text: str) -> None:
    file = Path(shutil.copy(digits_run / "best" / "model.safetensors", tmp_path))
    edit_header(file, lambda header: header["__metadata__"].update({"hiri_spec.trained": text}))
    assert hiri_spec.from_pretrained(file).num_classes == 10
    with pytest.raises(SpecError, match=r"model\.safetensors: says of its classes and images what this version can't"):
        load_trained(file)


def test_grey_images(tmp_path: Path) -> None:
    hiri_spec.build(SMALL | {"in_channels": 1}).save_pretrained(tmp_path)
    trained = load_trained(tmp_path)
    assert (trained.in_channels, trained.augmentation.mean) == (1, (0.5, 0.5, 0.5))


@pytest.mark.parametrize("is_in_run", [True, False], ids=["in a run", "by themselves"])
def test_timms_weights(timm_run: Path, tmp_path: Path, is_in_run: bool) -> None:
    place = shutil.copytree(timm_run / "best", tmp_path / "best") if not is_in_run else timm_run
    trained = load_trained(place)
    assert (trained.name, trained.classes, trained.resolution) == ("test_vit", 10, (32, 32))
    assert trained.class_names == tuple("0123456789")
    assert (trained.data is not None) == is_in_run
    tensors = load_file(trained.weights)
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in trained.model.state_dict().items())


@pytest.mark.parametrize("run", ["digits_run", "timm_run"])
def test_another_size(run: str, request: pytest.FixtureRequest) -> None:
    trained = load_trained(request.getfixturevalue(run), resolution=(48, 64))
    assert trained.resolution == (48, 64)
    with torch.no_grad():
        assert trained.model(torch.zeros(1, 3, 48, 64)).shape == (1, 10)


def test_a_size_that_no_memory_holds(digits_run: Path) -> None:
    with pytest.raises(SpecError, match=r"--resolution: 100000 is too large; use 16,384 pixels a side or less"):
        load_trained(digits_run, resolution=(100_000, 100_000))


def test_a_size_that_timm_refuses(timm_run: Path) -> None:
    with pytest.raises(SpecError, match=r"--resolution: test_vit doesn't run at 40: .*; it was trained at 32"):
        load_trained(timm_run, resolution=(40, 40))


def remove(*names: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        for name in names:
            shutil.rmtree(folder / name)

    return act


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (remove("best", "last", "best_ema", "last_ema"), {}, "has no weights yet: they are written at the end of an e"),
        (remove("best_ema", "last_ema"), {"ema": True}, "has kept no average of its network; leave out --ema"),
        (remove("best"), {}, "has no best; there are last, best_ema, last_ema"),
        (lambda folder: (folder / "run.json").unlink(), {"ema": True}, "--ema: is for the folder of a run, and"),
        (lambda folder: (folder / "run.json").unlink(), {"last": True}, "--last: is for the folder of a run, and"),
        (lambda folder: (folder / "run.json").unlink(), {}, "run: is neither a run's folder, with run.json in it, nor"),
        (lambda folder: (folder / "run.json").write_text("{}"), {}, "was not written by hiri-spec train"),
    ],
    ids=["none", "no average", "no best", "no run --ema", "no run --last", "no run", "damaged"],
)
def test_runs_without_such_weights(
    digits_run: Path, tmp_path: Path, change: Callable[[Path], Any], options: dict[str, bool], message: str
) -> None:
    folder = shutil.copytree(digits_run, tmp_path / "run")
    change(folder)
    with pytest.raises(SpecError, match=message):
        load_trained(folder, **options)


@pytest.mark.parametrize("options", [{"features_only": True}, {"classes": 0}], ids=["maps", "no classes"])
def test_weights_without_scores(tmp_path: Path, options: dict[str, Any]) -> None:
    hiri_spec.build(SMALL, **options).save_pretrained(tmp_path)
    with pytest.raises(SpecError, match="has no classifier, so it gives no scores"):
        load_trained(tmp_path)


def test_a_typo_asks_no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    with pytest.raises(SpecError, match=r"^runs/tiny-digit: no such file or folder; runs is empty$"):
        load_trained("runs/tiny-digit")
    (tmp_path / "runs" / "tiny-digits").mkdir()
    with pytest.raises(SpecError, match=r"^runs/tiny-digit: no such file or folder; did you mean 'tiny-digits'\?$"):
        load_trained("runs/tiny-digit")


def test_weights_that_say_nothing_of_their_network(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(SpecError, match="has no spec inside and is no run's of a timm model"):
        load_trained(tmp_path / "a.safetensors")
    (tmp_path / "a.pt").write_bytes(b"")
    with pytest.raises(SpecError, match=r"a\.pt: is no \.safetensors file, and only those have a spec inside"):
        load_trained(tmp_path / "a.pt")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("timm.model", "resnet_of_tomorrow", "holds timm's resnet_of_tomorrow, which this timm, .* hasn't got"),
        ("timm.img_size", "large", "its header says test_vit but not of what size, channels and classes"),
        ("timm.num_classes", "7", "of another shape|head"),
    ],
    ids=["model", "size", "classes"],
)
def test_timms_weights_with_another_header(timm_run: Path, tmp_path: Path, key: str, value: str, message: str) -> None:
    file = Path(shutil.copytree(timm_run / "best", tmp_path / "best")) / "model.safetensors"
    edit_header(file, lambda header: header["__metadata__"].update({key: value}))
    with pytest.raises(SpecError, match=message):
        load_trained(file)
