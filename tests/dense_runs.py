"""Runs of detectors on very few drawn shapes, for tests of training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from runs import ROOT

from hiri_spec.tasks.run import train_dense
from hiri_spec.train.session import TrainResult

SHAPES = "shapes:train=8,validation=3,size=48"
TINY = str(ROOT / "specs" / "tiny.yaml")
RECIPE = """\
name: quick
extends: shapes
epochs: 2
batch_size: 4
set: {schedule.warmup_steps: 1, images.short_side: 48, images.longest_side: 96, optimizer.learning_rate: 1e-4}
"""
STEPS = 2
"""In an epoch of that recipe."""


def write_recipe(folder: Path) -> Path:
    """Put quick.yaml into a folder."""
    place = folder / "quick.yaml"
    place.write_text(RECIPE)
    return place


def run(folder: Path, out: str = "run", **options: Any) -> TrainResult:
    """Train in this process; `set` changes spec and recipe."""
    recipe = options.pop("recipe", None) or str(write_recipe(folder))
    network, data, head = (
        options.pop(name, default) for name, default in (("network", TINY), ("data", SHAPES), ("head", "retinanet"))
    )
    return train_dense(network, data, head, recipe=recipe, out=folder / out, **{"workers": 0} | options)


def command(*arguments: str, network: str = TINY, prefix: tuple[str, ...] = ()) -> list[str]:
    """The command of a process that trains in a folder with quick.yaml, into `run`."""
    own = ["train", network, "--head", "retinanet", "--data", SHAPES, "--recipe", "quick.yaml", "--workers", "0"]
    return [sys.executable, "-m", *prefix, "hiri_spec.tasks", *own, "--out", "run", *arguments]


def start(folder: Path, *arguments: str, network: str = TINY, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start such a process."""
    write_recipe(folder)
    return subprocess.Popen(
        command(*arguments, network=network, prefix=prefix),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
