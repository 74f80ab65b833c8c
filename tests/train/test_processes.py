"""Two processes by torchrun are one with the same batch."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runs import ROOT, STEPS, assert_same, command, read_losses, start
from safetensors.torch import load_file

TORCHRUN = ("--standalone", "--nproc-per-node", "2")
OF_ONE_IMAGE = (
    *("--set", "stages.0.norm=layer", "--set", "stages.1.mlp_norm=layer", "--set", "head.norm=layer"),
    *("--set", "drop_path_rate=0", "--set", "head.drop_rate=0"),
)
"""Norms that see one image at a time, and nothing by chance that is drawn in the network."""


def launch(folder: Path, *arguments: str, module: str = "hiri_spec.train") -> subprocess.Popen[str]:
    """Start two processes that train."""
    own = ["-m", module, *command(folder, *arguments)[3:]]  # without the interpreter, and the module
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", *TORCHRUN, *own],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out, err


@pytest.mark.slow
def test_two_give_what_one_gives(files: Path) -> None:
    """Losses and weights to float tolerance, with Mixup, CutMix, erasing and the teacher."""
    out, err = finish(launch(files, "--out", "two", "--json", *OF_ONE_IMAGE))
    assert json.loads(out)["steps"] == 3 * STEPS
    assert err.count("on 2 processes, cpu") == 1
    assert json.loads((files / "two" / "run.json").read_text())["processes"] == 2
    finish(start(files, "--out", "one", *OF_ONE_IMAGE))
    one, two = ([float(row[3]) for row in read_losses(files / name)[1:]] for name in ("one", "two"))
    assert two == pytest.approx(one, rel=1e-5)
    assert len(two) == 3 * STEPS
    for name in ("last", "last_ema"):
        mine, theirs = (load_file(files / run / name / "model.safetensors") for run in ("one", "two"))
        assert mine.keys() == theirs.keys()
        for tensor, value in mine.items():
            assert (value - theirs[tensor]).abs().max() <= 1e-4 * value.abs().max() + 1e-6, tensor


@pytest.mark.slow
def test_two_go_on_where_they_were_killed(files: Path) -> None:
    """With batch norm, drop path and dropout: every process gets its own random numbers back."""
    arguments = ("--set", "checkpointing.every_steps=3")
    finish(launch(files, "--out", "whole", *arguments))
    process = launch(files, "--out", "killed", *arguments)
    began = time.monotonic()
    while not list((files / "killed" / "checkpoints").glob("step-*3.pt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - began < 120
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)  # torchrun; its processes find it gone
    process.communicate(timeout=120)
    finish(launch(files, "--out", "killed", *arguments))
    assert read_losses(files / "killed") == read_losses(files / "whole")


@pytest.mark.slow
def test_one_is_asked_to_stop_in_an_evaluation(files: Path) -> None:
    """Both stop within it, with nothing lost, and the same command goes on from there."""
    arguments = ("--batch-size", "4", "--set", "checkpointing.every_steps=1000")
    process = launch(files, "--out", "stopped", "--json", *arguments, module="stopped_run")
    out, err = process.communicate(timeout=240)
    assert process.returncode != 0
    assert json.loads(out) == {"status": "interrupted", "out": "stopped", "steps": 12, "epochs": []}
    assert "stopped; the same command goes on from here" in err
    # of the other torchrun tells the same, or that it ended it itself: it looks every tenth of a second
    assert "exitcode  : 143" in err
    assert [(files / f"had-{rank}").read_text() for rank in range(2)] == ["2", "2"]
    assert json.loads((files / "stopped" / "run.json").read_text())["status"] == "interrupted"
    finish(launch(files, "--out", "stopped", *arguments))
    finish(launch(files, "--out", "whole", *arguments))
    assert_same(files / "stopped", files / "whole")


@pytest.mark.slow
def test_what_either_cannot_read_is_counted_together(files: Path) -> None:
    """Each passes over two of four, which are too many together; the figures tell of all."""
    for number in (1, 4, 6, 8):
        (files / "images" / "train" / "red" / f"{number}.png").write_text("no image")
    (files / "images" / "val" / "red" / "0.png").write_text("no image")
    (files / "images" / "val" / "green" / "1.png").write_text("no image")
    arguments = ("--epochs", "1", "--set", "schedule.warmup_epochs=0")
    process = launch(files, "--out", "few", *arguments, "--set", "max_unreadable=0.07")
    _, err = process.communicate(timeout=240)
    assert process.returncode != 0
    assert "4 of 48 images can't be read, and 3 may be passed over" in err
    assert not (files / "few" / "metrics.csv").exists()
    finish(launch(files, "--out", "more", *arguments, "--set", "max_unreadable=0.2"))
    with (files / "more" / "metrics.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["unreadable"] == "6"


@pytest.mark.slow
def test_a_batch_that_does_not_divide(files: Path) -> None:
    process = launch(files, "--batch-size", "14", "--set", "accumulate=2", "--out", "odd")
    _, err = process.communicate(timeout=240)
    assert process.returncode != 0
    assert "batch_size: 14 images don't divide among 2 processes of 2 batches each; use a multiple of 4" in err
