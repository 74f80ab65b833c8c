"""`hiri-spec train` as users type it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from runs import RECIPE, ROOT, write_files
from told import Command

from hiri_spec.commands import train_screen
from hiri_spec.commands.train import describe_result
from hiri_spec.commands.train_screen import Screen
from hiri_spec.train.run import TrainResult
from hiri_spec.train.watcher import Started, Stepped

START = Started(
    "mini",
    "32 pixels",
    11_230,
    "images",
    48,
    12,
    12,
    "quick",
    "ema",
    "top1",
    "top-1",
    "cpu",
    1,
    Path("runs/mini"),
    3,
    4,
    0,
    1,
)


@pytest.fixture
def train(hiri_spec_command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run `hiri-spec train mini.yaml` in a folder with small files."""
    write_files(tmp_path, recipe=RECIPE.replace("epochs: 3", "epochs: 2"))
    monkeypatch.chdir(tmp_path)
    return partial(hiri_spec_command, "train", "mini.yaml", "--recipe", "quick.yaml", "--workers", "0")


@pytest.mark.parametrize(
    ("averages", "better"),
    [((None, None), "best"), ((60.0, 69.9), "best"), ((71.0, 60.0), "best_ema")],
    ids=["no average", "the network is", "its average is"],
)
def test_the_better_weights_are_named(averages: tuple[float | None, ...], better: str) -> None:
    rows: list[dict[str, Any]] = [
        {"epoch": epoch, "top1": top1, "ema_top1": average}
        for epoch, top1, average in zip((1, 2), (70.0, 65.0), averages, strict=True)
    ]
    told = describe_result(TrainResult("finished", Path("runs/a"), rows, 8))
    assert f"weights: runs/a/{better}; figures" in told


def test_help_of_the_module_is_that_of_the_command() -> None:
    command = [sys.executable, "-m", "hiri_spec.train", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert "Usage: hiri-spec train [OPTIONS] {SPEC}\n" in result.stdout


def test_it_tells_how_it_goes(train: Command) -> None:
    told = train("--data", "images")
    assert told.status == 0
    err = told.err.splitlines()
    assert err[:4] == [
        "mini: 11.23 k parameters, 32 pixels; on cpu",
        "images: 48 images to train on, 12 held out; 0 processes read them",
        "quick: 2 epochs, 8 steps of 12 images; ema_distill",
        "results: runs/mini-images",
    ]
    assert any(line.startswith("epoch 1: loss 1.") and "EMA" in line and "images/s" in line for line in err)
    assert told.out.startswith("2 epochs, 8 steps: top-1 ")
    assert re.search(r"weights: runs/mini-images/best(_ema)?; figures: runs/mini-images/metrics.csv", told.out)
    again = train("--data", "images")
    assert again.status == 0
    assert again.out.startswith(
        "runs/mini-images is finished, nothing was done; --restart or another --out trains anew"
    )
    assert again.err == ""


def test_json(train: Command) -> None:
    told = train("--data", "images", "--json", "--out", "own", "--set", "distillation=none", "--seed", "3")
    data = json.loads(told.out)
    assert (data["status"], data["out"], data["steps"]) == ("finished", "own", 8)
    assert [row["epoch"] for row in data["epochs"]] == [1, 2]
    assert data["epochs"][0]["ema_top1"] is None
    assert "seed: 3\n" in Path("own/recipe.yaml").read_text()
    assert json.loads(Path("own/run.json").read_text())["command"].endswith("--set distillation=none --seed 3")


def test_what_it_leaves_opens_elsewhere(train: Command, hiri_spec_command: Command) -> None:
    train("--data", "images")
    told = hiri_spec_command("summary", "runs/mini-images/best_ema")
    assert told.status == 0
    assert "names and shapes are those of the spec inside" in told.out


def test_flags_and_sizes(train: Command) -> None:
    told = train("--data", "images", "-r", "32x64", "--epochs", "2", "--batch-size", "24", "--checkpoint-grad")
    assert told.status == 0
    text = Path("runs/mini-images/recipe.yaml").read_text()
    assert "resolution: [32, 64]\n" in text
    assert "batch_size: 24\n" in text
    assert "mini: 11.23 k parameters, 32x64 pixels" in told.err


def test_ctrl_c(train: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: Screen, step: Stepped) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(Screen, "stepped", interrupt)
        told = train("--data", "images")
    assert told.status == 130
    assert told.err.endswith("stopped; the same command goes on from here\n")
    told = train("--data", "images")
    assert told.status == 0
    assert "going on after step 1\n" in told.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--data", "images", "--epochs", "1", "--set", "schedule.warmup_epochs=1"],
            "error: --epochs: 1 leaves nothing after schedule.warmup_epochs=1; ",
        ),
        (["--data", "images", "-r", "16"], "error: --resolution: 16 is too small"),
        (["--data", "images", "-r", "32,64"], "error: --resolution: a network is trained at one size; give one"),
        (
            ["--data", "images", "--mixed-precision", "fp8"],
            "error: --mixed-precision: 'fp8' is not known here; use 'no'",
        ),
        (
            ["--data", "images", "--recipe", "quik"],
            "error: 'quik' is no file and no built-in recipe; did you mean 'qui",
        ),
        (["--data", "images", "--set", "epochs"], "error: --set: 'epochs' sets nothing; write PATH=VALUE"),
        (["--data", "images", "--set", "head.classes=2"], "error: head.classes: 2 are too few for images, which has 4"),
        (["--data", "imges"], "imges"),
    ],
    ids=["epochs", "resolution", "sizes", "precision", "recipe", "set", "classes", "data"],
)
def test_mistakes(train: Command, arguments: list[str], message: str) -> None:
    told = train(*arguments)
    assert (told.status, told.out) == (2, "")
    assert message in told.err
    assert not Path("runs").exists()


def terminal(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """Make the screen one on a terminal of 200 columns; returns what is written to it."""
    stream = StringIO()
    shown = Console(file=stream, force_terminal=True, width=200, highlight=False, emoji=False, color_system=None)
    monkeypatch.setattr(train_screen, "console", lambda stderr: shown)
    return stream


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    with Screen() as screen:
        screen.started(START)
        screen.stepped(Stepped(5, 2, 1, 1.25, 0.001, 1234.5))
        screen.evaluating("mini")
        row = {"epoch": 2, "train_loss": 1.2, "top1": 50.0, "ema_top1": 51.0, "images_per_s": 99.0, "unreadable": 2}
        screen.epoch_ended(row)
        screen.stepped(Stepped(9, 3, 1, 1.125, 0.001, 1234.5))
        screen._progress.refresh()
    text = stream.getvalue()
    assert "epoch 3/3" in text
    assert "9/12" in text
    assert "1,234 images/s" in text
    assert "loss 1.125, top-1 50.00 %, EMA 51.00 %" in text
    assert "epoch 2: loss 1.2000, top-1 50.00 %, EMA 51.00 %, 99 images/s, 2 images can't be read" in text


def test_other_processes_are_silent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("RANK", "1")
    with Screen() as screen:
        screen.noted("a")
        screen.started(START)
        screen.stepped(Stepped(5, 2, 1, 1.25, 0.001, 1234.5))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05"), (125, "2:05"), (5025, "1:23:45")])
def test_durations(seconds: float, text: str) -> None:
    assert train_screen._duration(seconds) == text
