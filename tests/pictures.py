"""Folders of small pictures for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def picture(number: int, side: int = 40) -> Image.Image:
    """A picture unlike that of any other number."""
    pixels = np.random.default_rng(number).integers(256, size=(side, side + 8, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def write_classes(folder: Path, counts: Mapping[str, int], side: int = 40) -> Path:
    """So many pictures in each class's folder: NAME/0.png, NAME/1.png, …"""
    number = 0
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            picture(number := number + 1, side).save(folder / name / f"{index}.png")
    return folder


def write_splits(folder: Path, train: Mapping[str, int], val: Mapping[str, int]) -> Path:
    """A data set of the usual layout."""
    write_classes(folder / "train", train)
    write_classes(folder / "val", val)
    return folder
