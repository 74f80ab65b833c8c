"""`hiri-spec evaluate` as users type it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from told import Command
from trained_runs import save_digits

import hiri_spec
from hiri_spec.train import assessment
from hiri_spec.train.curves import read_metrics


def test_tells_figures_and_the_worst_classes(hiri_spec_command: Command, digits_run: Path) -> None:
    told = hiri_spec_command("evaluate", str(digits_run), "--worst", "3")
    assert told.status == 0
    first, second, third, *rest = told.out.splitlines()
    assert first == f"mini of {digits_run}/best/model.safetensors, at 32 pixels on cpu"
    assert second == "digits, validation: 355 images"
    best = max(row["top1"] or 0 for row in read_metrics(digits_run / "metrics.csv"))
    assert third.startswith(f"top-1 {best:.2f} %, top-5 ")
    assert rest[1].rstrip() == "the worst 3 of 10 classes"
    assert rest[2].split() == ["class", "images", "top-1", "%", "mistaken", "most", "for", "images", "%"]
    assert len(rest) == 7
    assert told.err == ""


def test_json(hiri_spec_command: Command, digits_run: Path) -> None:
    told = hiri_spec_command("evaluate", str(digits_run), "--ema", "--last", "--worst", "2", "--json")
    data = json.loads(told.out)
    assert data["weights"] == f"{digits_run}/last_ema/model.safetensors"
    assert data["top1"] == pytest.approx(read_metrics(digits_run / "metrics.csv")[-1]["ema_top1"], abs=1e-4)
    assert (data["images"], data["unreadable"], len(data["worst"])) == (355, 0, 2)
    assert data["images_per_s"] > 0
    assert data["worst"][0].keys() == {"class", "index", "images", "top1", "mistaken_for", "mistaken_images"}


def test_another_split_at_another_size(hiri_spec_command: Command, digits_run: Path) -> None:
    told = hiri_spec_command("evaluate", str(digits_run), "--split", "train", "-r", "40", "--json", "--workers", "0")
    data = json.loads(told.out)
    assert (data["split"], data["images"], data["resolution"]) == ("train", 1442, [40, 40])


def test_timms_model(hiri_spec_command: Command, timm_run: Path) -> None:
    data = json.loads(hiri_spec_command("evaluate", str(timm_run), "--json", "--workers", "0").out)
    best = max(row["top1"] or 0 for row in read_metrics(timm_run / "metrics.csv"))
    assert data["top1"] == pytest.approx(best, abs=1e-4)


def test_plain_weights_on_a_folder(hiri_spec_command: Command, digits_run: Path, tmp_path: Path) -> None:
    """Of names from a file; one image can't be read, and all others are told right or wrong as before."""
    weights = Path(shutil.copytree(digits_run / "best", tmp_path / "mine"))
    (tmp_path / "names.txt").write_text("\n".join("abcdefghij"))
    paths = save_digits(tmp_path / "digits", 30)
    for place in (tmp_path / "digits").iterdir():
        place.rename(place.with_name("abcdefghij"[int(place.name)]))
    bad = tmp_path / "digits" / "b" / "zzz.png"
    bad.write_bytes(paths[0].name.encode())
    arguments = ["--data", str(tmp_path / "digits"), "--classes", str(tmp_path / "names.txt")]
    told = hiri_spec_command("evaluate", str(weights), *arguments, "--json", "--workers", "0")
    assert told.err == f"note: {bad} can't be read (no image), and was passed over\n"
    data = json.loads(told.out)
    assert (data["images"], data["unreadable"]) == (30, 1)
    assert {each["class"] for each in data["worst"]} <= set("abcdefghij")
    told = hiri_spec_command("evaluate", str(weights), *arguments, "--workers", "0", "--max-unreadable", "0")
    assert told.status == 2
    assert "1 of 31 images can't be read, and 0 may be passed over" in told.err


def test_ctrl_c(hiri_spec_command: Command, digits_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(assessment, "assess", interrupt)
    assert hiri_spec_command("evaluate", str(digits_run)) == (130, "", "stopped\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["RUN", "--split", "val"], "error: --split: 'val' is none of train, validation; known: train, validation"),
        (["RUN", "-r", "32,64"], "error: --resolution: images are made ready at one size; give one"),
        (["RUN", "-r", "16"], "error: --resolution: 16 is too small"),
        (["RUN", "--device", "cdua"], "error: --device: 'cdua' is none of auto, cpu, cuda; did you mean"),
        (["RUN", "--data", "finegrain"], "error: finegrain: has classes that are not trained: 'disc of lines'"),
        (["RUN", "--data", "digit"], "error: digit: no such folder, and no built-in data of that name; did you mean"),
        (["PLAIN"], "error: --data: of plain weights nobody knows their data; name some"),
        (["PLAIN", "--ema", "--data", "digits"], "error: --ema: is for the folder of a run"),
        (["PLAIN", "--data", "finegrain:classes=4"], "has 4 classes ('disc of lines'"),
        (["MOVED"], "error: --data: that is what the run was trained on; name the data where they are now"),
        (["."], "error: .: is neither a run's folder, with run.json in it, nor one of weights"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes(
    hiri_spec_command: Command,
    digits_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    hiri_spec.from_pretrained(digits_run / "best").save_pretrained(tmp_path / "PLAIN")
    moved = Path(shutil.copytree(digits_run, tmp_path / "MOVED")) / "run.json"
    moved.write_text(moved.read_text().replace('"data": "digits"', '"data": "gone/away"'))
    before = sorted(tmp_path.rglob("*"))
    told = hiri_spec_command("evaluate", *[str(digits_run) if each == "RUN" else each for each in arguments])
    assert (told.status, told.out) == (2, "")
    assert message in told.err
    assert sorted(tmp_path.rglob("*")) == before
