"""Images a second of our loader against timm's own, by the same recipe from the same folder of JPEGs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import torch
from timm.data import FastCollateMixup, create_dataset, create_loader

from hiri_spec.train.augmentation import Augmentation
from hiri_spec.train.data import make_loader, open_dataset

from .timing import alternate, report

IMAGES, BATCH_SIZE, SIDE = 256, 32, 224
SIZE = 375, 500
"""Height and width of the JPEGs, in pixels; those of ImageNet have about as many."""
TARGET = 0.95


def write_images(folder: Path) -> None:
    """Drawings as JPEGs, in a folder a class."""
    drawings = open_dataset(f"finegrain:classes=4,train={IMAGES}", "train", resolution=SIZE)
    for index in range(IMAGES):
        image, target = drawings[index]
        place = folder / "train" / str(target)
        place.mkdir(parents=True, exist_ok=True)
        image.save(place / f"{index}.jpg", quality=90)


def our_epoch(folder: Path, workers: int) -> Callable[[], object]:
    """A call that goes through all images once."""
    images = open_dataset(folder, "train", resolution=(SIDE, SIDE))
    loader = make_loader(
        images,
        augmentation=Augmentation(),
        batch_size=BATCH_SIZE,
        resolution=(SIDE, SIDE),
        is_training=True,
        workers=workers,
    )
    epochs = count()
    return lambda: sum(len(batch) for batch, _ in loader.epoch(next(epochs)))


def timms_epoch(folder: Path, workers: int) -> Callable[[], object]:
    """The same by timm, as its train script does it."""
    chosen = Augmentation()
    mixup = FastCollateMixup(chosen.mixup, chosen.cutmix, label_smoothing=chosen.label_smoothing, num_classes=4)
    loader = create_loader(
        create_dataset("", root=str(folder), split="train"),
        (3, SIDE, SIDE),
        BATCH_SIZE,
        is_training=True,
        scale=chosen.crop_scale,
        ratio=chosen.crop_ratio,
        auto_augment="rand-m9-mstd0.5-inc1-mmax9",  # with Pillow 13, it fails at the magnitudes that this leaves out
        interpolation=chosen.interpolation,
        re_prob=chosen.erasing,
        re_mode="pixel",
        num_workers=workers,
        collate_fn=mixup,
        pin_memory=False,
        device=torch.device("cpu"),
    )
    return lambda: sum(len(batch) for batch, _ in loader)


def loading(runs: int = 7) -> bool:
    """Without worker processes, and with two."""
    met = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder)
        for workers in (0, 2):
            ours, timms, ratio = alternate(our_epoch(folder, workers), timms_epoch(folder, workers), runs)
            measured = f"{1 / ratio:.2f} of timm's ({IMAGES / ours:.0f} and {IMAGES / timms:.0f} images/s)"
            met.append(
                report(f"loading, {workers} workers", measured, f"{TARGET} of timm's images/s", 1 / ratio >= TARGET)
            )
    return all(met)
