"""`hiri-spec predict` as users type it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from told import Command
from trained_runs import save_digits

from hiri_spec.train import prediction
from hiri_spec.train.prediction import Guess, Prediction


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `digits` with four of them, which the command runs beside."""
    monkeypatch.chdir(tmp_path)
    save_digits(tmp_path / "digits", 4)
    return Path("digits")


def test_a_table_of_a_line_an_image(hiri_spec_command: Command, digits_run: Path, images: Path) -> None:
    told = hiri_spec_command("predict", str(digits_run), "digits", "digits/5/0.png", "--top", "3")
    assert (told.status, told.err) == (0, "")
    header, _, *rows = told.out.splitlines()
    assert header.split() == ["image", "class", "%", "then"]
    assert [row.split()[0] for row in rows] == [
        "digits/0/1.png",
        "digits/5/0.png",
        "digits/8/3.png",
        "digits/9/2.png",
        "digits/5/0.png",
    ]
    assert all(row.count("%") == 2 for row in rows)


def test_json(hiri_spec_command: Command, digits_run: Path, images: Path) -> None:
    told = hiri_spec_command("predict", str(digits_run), str(images), "--ema", "--json")
    data = json.loads(told.out)
    assert (data["network"], data["unreadable"], data["resolution"]) == ("mini", 0, [32, 32])
    assert data["weights"] == f"{digits_run}/best_ema/model.safetensors"
    for each in data["images"]:
        assert len(each["classes"]) == 5
        assert each["classes"][0].keys() == {"class", "index", "probability"}


def test_names_from_a_file(hiri_spec_command: Command, digits_run: Path, images: Path) -> None:
    shutil.copytree(digits_run / "best", "mine")
    Path("names.json").write_text(json.dumps([f"[{name}]" for name in "abcdefghij"]))
    told = hiri_spec_command("predict", "mine", "digits", "--classes", "names.json", "--top", "1")
    assert told.status == 0
    assert all(row.split()[1] in {f"[{name}]" for name in "abcdefghij"} for row in told.out.splitlines()[2:])


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["table", "json"])
def test_some_that_cannot_be_read(hiri_spec_command: Command, digits_run: Path, images: Path, flags: list[str]) -> None:
    (images / "5" / "1.png").write_text("no picture")
    told = hiri_spec_command("predict", str(digits_run), "digits", *flags)
    assert told.status == 1
    assert told.err == "error: digits/5/1.png: can't be read: no image\n1 of 5 images can't be read\n"
    if flags:
        problems = [each["image"] for each in json.loads(told.out)["images"] if each.get("problem") == "no image"]
        assert problems == ["digits/5/1.png"]
    else:
        assert len(told.out.splitlines()) == 2 + 4


def test_ctrl_c_keeps_what_is_known(
    hiri_spec_command: Command, digits_run: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(trained: object, paths: list[Path], **_: object) -> Iterator[Prediction]:
        yield Prediction(paths[0], (Guess(3, "three", 0.75),))
        raise KeyboardInterrupt

    monkeypatch.setattr(prediction, "predict", stop)
    told = hiri_spec_command("predict", str(digits_run), "digits")
    assert told.status == 130
    assert told.out.splitlines()[-1].split() == ["digits/0/1.png", "three", "75.0"]
    assert told.err == "stopped after 1 of 4 images\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["RUN", "digit"], "error: digit: no such file or folder; did you mean 'digits'?"),
        (["RUN", "empty"], "error: empty: has no images (.jpg, "),
        (["RUN", "note.txt"], "error: note.txt: can't be read: no image"),
        (["RUN", "digits", "--classes", "note.txt"], "error: note.txt: has 1 names, and the network gives 10 scores"),
        (["RUN", "digits", "--device", "tpu"], "error: --device: 'tpu' is none of auto, cpu, cuda"),
        (["digits", "RUN"], "error: digits: is neither a run's folder, with run.json in it, nor one of weights"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes(
    hiri_spec_command: Command, digits_run: Path, images: Path, arguments: list[str], message: str
) -> None:
    Path("empty").mkdir()
    Path("note.txt").write_text("a note")
    told = hiri_spec_command("predict", *[str(digits_run) if each == "RUN" else each for each in arguments])
    assert (told.status, told.out) == (2, "")
    assert message in told.err
