"""Runs on the digits, short ones of very small networks, for tests of what is done with them afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hiri_spec.train.run import train

SPEC = """\
name: mini
resolution: 32
stem: vit
stages:
  - {block: cffn, depth: 1, width: 8}
  - {block: cffn, depth: 1, width: 16, downsample: strided}
head: {classes: 10}
"""
CHANGES = {"schedule.warmup_epochs": 0, "distillation.start_epoch": 1, "distillation.decay": 0.8}


def train_on_digits(folder: Path, network: str | None = None, **options: Any) -> Path:
    """Train two epochs, by default of the spec above; returns the run's folder."""
    if network is None:
        (folder / "mini.yaml").write_text(SPEC)
        network = str(folder / "mini.yaml")
    flags = {"epochs": 2, "batch_size": 128}
    own = {"command": "/somewhere/bin/hiri-spec train mini.yaml --data digits", "workers": 0} | options
    return train(network, "digits", set=CHANGES | own.pop("set", {}), flags=flags, out=folder / "run", **own).out


def save_digits(folder: Path, count: int | None = None) -> list[Path]:
    """Held-out digits as PNG files: NAME/0.png, …, a folder a class; the first `count` of them, in their order."""
    from hiri_spec.train.data import open_dataset

    images = open_dataset("digits", "validation", resolution=(32, 32))
    paths = []
    for number in range(len(images) if count is None else count):
        image, target = images[number]
        place = folder / images.class_names[target] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        image.save(place)
        paths.append(place)
    return paths
