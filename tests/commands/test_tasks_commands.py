"""`hiri-spec tasks list|train|evaluate|predict|shapes`: as a user meets them."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import pytest
from dense_runs import SHAPES, write_recipe
from PIL import Image
from told import Command

import hiri_spec.commands.extras as extras
from hiri_spec.tasks.heads import HEADS


@pytest.fixture
def tasks(hiri_spec_command: Command) -> Command:
    return partial(hiri_spec_command, "tasks")


def test_list(tasks: Command) -> None:
    told = tasks("list")
    assert told.status == 0
    assert all(name in told.out for name in HEADS)
    assert [head["name"] for head in json.loads(tasks("list", "--json").out)] == list(HEADS)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dense_runs import run

    folder = tmp_path_factory.mktemp("upernet")
    run(folder, head="upernet", flags={"epochs": 1}, set={"images.short_side": 32})
    return folder / "run"


def test_train_and_again(tasks: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_recipe(tmp_path)
    monkeypatch.chdir(tmp_path)
    options = ("train", "tiny", "--head", "retinanet", "--data", SHAPES, "--recipe", "quick.yaml", "--workers", "0")
    told = tasks(*options, "--epochs", "1")
    assert told.status == 0, told.err
    assert told.out.startswith("1 epoch, 2 steps: AP ")
    assert "RetinaNet on tiny: 8.34 M parameters, shorter sides of 48 pixels, longer ones of 96 at most" in told.err
    again = tasks(*options, "--epochs", "1", "--json")
    assert json.loads(again.out)["status"] == "already_finished"
    assert (tmp_path / "runs" / "tiny-retinanet-shapes-train-8-validation-3-size-48").is_dir()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--head", "retina"), "--head: 'retina' is no head; did you mean 'retinanet'"),
        (("--strides", "8;16"), "--strides: '8;16' are no strides; write them like 8,16,32"),
        (("--strides", "8,32"), "--strides: [8, 32] must double from each to the next"),
        (("--norms", "fixed"), "--norms: 'fixed' is not known here; use 'frozen'"),
        (("--head", "atss", "--regions", "64"), "--regions: atss looks at whole maps; leave it out"),
        (("--recipe", "coco_2x"), "'coco_2x' is no file and no built-in recipe; did you mean 'coco_3x' or 'coco_1x'"),
        (("--data", "coco"), "coco"),
    ],
    ids=["head", "strides", "uneven strides", "norms", "regions", "recipe", "data"],
)
def test_mistakes(tasks: Command, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    data = () if "--data" in options else ("--data", SHAPES)
    told = tasks("train", "tiny", *data, "--out", str(tmp_path / "run"), *options)
    assert (told.status, told.out) == (2, "")
    assert told.err.startswith("error: ")
    assert message in told.err
    assert not (tmp_path / "run").exists()


def test_evaluate_tells_what_training_told(tasks: Command, trained: Path) -> None:
    told = tasks("evaluate", str(trained), "--workers", "0", "--json")
    assert told.status == 0, told.err
    figures = json.loads(told.out)
    last = (trained / "metrics.csv").read_text().splitlines()
    row = dict(zip(last[0].split(","), last[-1].split(","), strict=True))
    assert figures["mIoU"] == pytest.approx(float(row["mIoU"]), abs=1e-6)
    assert figures["images"] == 3
    table = tasks("evaluate", str(trained), "--workers", "0", "--size", "48", "96", "--data", SHAPES)
    assert "mIoU %" in table.out


def test_evaluate_mistakes(tasks: Command, trained: Path, digits_run: Path, tmp_path: Path) -> None:
    for arguments, message in (
        ((str(digits_run),), "is of a run of classification; use `hiri-spec evaluate`"),
        ((str(tmp_path / "none"),), "no such file or folder"),
        ((str(trained), "--split", "test"), "--split: 'test' is none of train, validation"),
        ((str(trained), "--size", "96", "48"), "--size: 96 48 are no sizes"),
        ((str(trained), "--size", "800", "1000000000"), "the most of the longer one, 16,384 or less"),
        ((str(trained / "best"), "--ema"), "--ema: is for the folder of a run"),
    ):
        told = tasks("evaluate", *arguments)
        assert (told.status, told.out) == (2, ""), arguments
        assert message in told.err


def test_predict_draws(tasks: Command, trained: Path, tmp_path: Path) -> None:
    for name, size in (("a.png", (50, 40)), ("more/a.jpg", (33, 70))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", size, "red").save(tmp_path / name)
    (tmp_path / "bad.png").write_text("no image")
    images = [str(tmp_path / name) for name in ("a.png", "more", "bad.png")]
    told = tasks("predict", str(trained), *images, "--out", str(tmp_path / "seen"), "--json")
    assert told.status == 1
    assert "bad.png: can't be read: no image" in told.err
    first, second, third = json.loads(told.out)["images"]
    assert (Path(first["picture"]).name, Path(second["picture"]).name) == ("a.png", "a-2.png")
    assert sum(first["shares"].values()) == pytest.approx(1, abs=1e-4)
    assert third["problem"] == "no image"
    with Image.open(tmp_path / "seen" / "a-2.png") as picture:
        assert picture.width >= 33
        assert picture.getpixel((32, 69)) != (255, 255, 255)
        assert picture.height > 70


def test_predict_spares_the_images(tasks: Command, trained: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    told = tasks("predict", str(trained), str(tmp_path / "a.png"), "--out", str(tmp_path))
    assert told.status == 2
    assert "would be written over the image" in told.err
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (40, 40)


def test_shapes_are_data(tasks: Command, tmp_path: Path) -> None:
    told = tasks("shapes", str(tmp_path / "data"), "--train", "4", "--validation", "2", "--size", "48")
    assert told.out.split() == [str(tmp_path / "data" / "coco"), str(tmp_path / "data" / "ade20k")]
    again = tasks("shapes", str(tmp_path / "data"))
    assert again.status == 2
    assert "is there already; name another folder, or remove it" in again.err


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (("tasks", "train", "tiny", "--data", "shapes"), "detect"),
        (("tasks", "evaluate", "run"), "detect"),
        (("tasks", "predict", "run", "a.png"), "detect"),
        (("tasks", "shapes", "data"), "detect"),
        (("train", "tiny", "--data", "digits"), "train"),
        (("evaluate", "run"), "train"),
        (("predict", "run", "a.png"), "train"),
    ],
    ids=" ".join,
)
def test_without_the_extra(
    hiri_spec_command: Command, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], extra: str
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    told = hiri_spec_command(*command)
    assert (told.status, told.out) == (2, "")
    assert f"not installed; pip install 'hiri-spec[{extra}]'" in told.err


def test_try_and_cost_without_the_extra(hiri_spec_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from hiri_spec.tasks import assembly

    monkeypatch.setattr(assembly, "find_spec", lambda name: None)
    for name in ("try", "cost"):
        told = hiri_spec_command("tasks", name, "tiny", "--head", "atss")
        assert told.status == 2
        assert "atss comes from onedl-mmdetection, which is not installed; pip install 'hiri-spec[detect]'" in told.err


def test_help_loads_no_torch() -> None:
    import subprocess

    code = (
        "import sys; from hiri_spec.cli import app; "
        "app(['tasks', 'train', '--help'], standalone_mode=False); print('torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "False"
