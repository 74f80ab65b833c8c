"""Runs of a very small network on very few images, for tests of training."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from hiri_spec.train.run import TrainResult, train
from hiri_spec.train.watcher import Started, Stepped, Watcher

ROOT = Path(__file__).resolve().parent.parent
SPEC = """\
name: mini
resolution: 32
drop_path_rate: 0.2
stem: vit
stages:
  - {block: cffn, depth: 1, width: 8}
  - {block: transformer, depth: 2, width: 16, heads: 2, downsample: strided}
head: {classes: 4, drop_rate: 0.1}
"""
RECIPE = """\
name: quick
extends: digits
epochs: 3
batch_size: 12
set:
  schedule.warmup_epochs: 1
  distillation.start_epoch: 1
  augmentation.erasing: 0.5
  augmentation.mixup: 0.8
  augmentation.mixing: 0.5
"""
CLASSES = ("blue", "green", "grey", "red")
IMAGES = {"train": 12, "val": 3}
"""Of each class."""
STEPS = 4
"""In an epoch of that recipe."""


def write_files(folder: Path, spec: str = SPEC, recipe: str = RECIPE) -> None:
    """Put mini.yaml, quick.yaml and images/ into a folder."""
    (folder / "mini.yaml").write_text(spec)
    (folder / "quick.yaml").write_text(recipe)
    rng = np.random.default_rng(0)
    for split, count in IMAGES.items():
        for name in CLASSES:
            place = folder / "images" / split / name
            place.mkdir(parents=True)
            for number in range(count):
                noise = rng.integers(0, 100, (12, 16, 3), dtype=np.uint8)
                tint = Image.new("RGB", (16, 12), name)
                Image.blend(Image.fromarray(noise), tint, 0.3).save(place / f"{number}.png")


def run(folder: Path, out: str = "run", **options: Any) -> TrainResult:
    """Train in this process with what `write_files` left in the folder; `set` changes spec and recipe."""
    defaults: dict[str, Any] = {"recipe": str(folder / "quick.yaml"), "workers": 0}
    spec = options.pop("network", str(folder / "mini.yaml"))
    data = options.pop("data", str(folder / "images"))
    return train(spec, data, out=folder / out, **defaults | options)


def command(folder: Path, *arguments: str) -> list[str]:
    """The command of a process that trains with those files into `run`."""
    own = ["mini.yaml", "--data", "images", "--recipe", "quick.yaml", "--out", "run", "--workers", "0"]
    return [sys.executable, "-m", "hiri_spec.train", *own, *arguments]


def start(folder: Path, *arguments: str, prefix: tuple[str, ...] = (), **options: Any) -> subprocess.Popen[str]:
    """Start such a process."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"} | options.pop("environment", {})
    return subprocess.Popen(
        [*prefix, *command(folder, *arguments)],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def read_losses(out: Path) -> list[tuple[str, ...]]:
    """losses.csv, row by row."""
    with (out / "losses.csv").open() as stream:
        return [tuple(row) for row in csv.reader(stream)]


def read_metrics(out: Path) -> list[dict[str, str]]:
    """metrics.csv without what a clock decides."""
    with (out / "metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    return [{name: value for name, value in row.items() if name not in ("images_per_s", "train_s")} for row in rows]


class Notes(Watcher):
    """Keeps what is told; `at` is called at each step."""

    def __init__(self, at: Any = None) -> None:
        self.notes: list[str] = []
        self.start: Started | None = None
        self.steps: list[int] = []
        self.rows: list[dict[str, Any]] = []
        self._at = at

    def noted(self, text: str) -> None:
        self.notes.append(text)

    def started(self, start: Started) -> None:
        self.start = start

    def stepped(self, step: Stepped) -> None:
        self.steps.append(step.step)
        if self._at is not None:
            self._at(step.step)

    def epoch_ended(self, row: dict[str, Any]) -> None:
        self.rows.append(row)


def weights(out: Path, name: str = "last") -> dict[str, torch.Tensor]:
    return load_file(out / name / "model.safetensors")


def assert_same(out: Path, other: Path) -> None:
    """The same losses, figures and weights, bit for bit."""
    assert read_losses(out) == read_losses(other)
    assert read_metrics(out) == read_metrics(other)
    for name in ("last", "best", "last_ema", "best_ema"):
        torch.testing.assert_close(weights(out, name), weights(other, name), rtol=0, atol=0)
