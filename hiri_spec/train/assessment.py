"""How good a trained network is on a data set: loss, accuracies, speed, and what it mistakes for what."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix

from ..errors import Problem, SpecError
from .data import ImageSet, make_loader, open_dataset, workers_watched
from .data.classes import list_some
from .data.loader import MAX_UNREADABLE
from .data.source import Split
from .devices import check_device, opened_accelerator
from .evaluation import Scores, evaluate
from .trained import Trained


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How a class fares: its images, the share of them that is told right in per cent, and the commonest mistake.

    `mistaken_for` is the class that most of its images are taken for wrongly, `mistaken_images` how many; None and 0
    where all are right.
    """

    index: int
    name: str
    images: int
    top1: float
    mistaken_for: str | None
    mistaken_images: int


@dataclass(frozen=True, slots=True)
class Assessment:
    """What came of it; `classes` are those that have images, the worst first, `unreadable` says why by image.

    `images_per_s` counts reading the images and making them ready too.
    """

    scores: Scores
    images: int
    images_per_s: float
    classes: tuple[ClassScore, ...]
    unreadable: dict[str, str]
    device: str


def open_images(trained: Trained, data: str, split: Split) -> ImageSet:
    """A split of a data source with the class indices of a trained network.

    Classes go by their names where the network's are known; where all are numbers, and those are not its names, they
    are indices, as in ImageNet-V2. A network whose names nobody knows takes them in their order. Raises SpecError for
    classes that are not the network's, and whatever is wrong with the source.
    """
    size, channels = trained.resolution, trained.in_channels
    if trained.class_names is not None:
        return open_dataset(data, split, resolution=size, in_channels=channels, class_names=trained.class_names)
    images = open_dataset(data, split, resolution=size, in_channels=channels)
    names = images.class_names
    if all(name.isdecimal() and int(name) < trained.classes for name in names):
        indices = tuple(map(str, range(trained.classes)))
        return open_dataset(data, split, resolution=size, in_channels=channels, class_names=indices)
    if len(names) != trained.classes:
        message = (
            f"has {len(names):,} classes ({list_some(names)}), and {trained.name} gives {trained.classes:,} scores; "
            "name the data that it was trained for, or give the names of its classes with --classes"
        )
        raise SpecError(Problem(message, file=data, code="class_count"))
    return images


def assess(
    trained: Trained,
    images: ImageSet,
    *,
    batch_size: int = 64,
    workers: int = 0,
    device: str = "auto",
    max_unreadable: float = MAX_UNREADABLE,
    advance: Callable[[int], None] = lambda count: None,
) -> Assessment:
    """Run a trained network over all images of a data set.

    `workers` are the processes that read images; `advance` hears of how many images more are done. Raises SpecError for
    a device that isn't there, and where a larger share of images than `max_unreadable` can't be read.
    """
    check_device(device, "no")
    with opened_accelerator(device, mixed_precision="no", accumulate=1, tracker=None, logs="") as accelerator:
        loader = make_loader(
            images,
            augmentation=trained.augmentation,
            batch_size=batch_size,
            resolution=trained.resolution,
            is_training=False,
            workers=workers,
            device=accelerator.device,
            max_unreadable=max_unreadable,
        )
        confusion = MulticlassConfusionMatrix(trained.classes, validate_args=False).to(accelerator.device)

        def observe(scores: Tensor, targets: Tensor) -> None:
            confusion.update(scores, targets)
            advance(len(targets))

        began = time.perf_counter()
        model = trained.model.to(accelerator.device)
        with workers_watched():
            scores = evaluate(model, loader.epoch(0), trained.classes, accelerator, observe=observe)
        counts = confusion.compute().cpu()
        seconds = time.perf_counter() - began
        total = int(counts.sum())
        return Assessment(
            scores, total, total / seconds, _score_classes(counts, trained), loader.unreadable, str(accelerator.device)
        )


def _score_classes(counts: Tensor, trained: Trained) -> tuple[ClassScore, ...]:
    """Images by true class (rows) and predicted class (columns) → a score a class, the worst first."""
    totals, right = counts.sum(dim=1), counts.diagonal()
    most, taken_for = (counts - torch.diag(right)).max(dim=1)
    found = [
        ClassScore(
            index,
            trained.name_class(index),
            int(totals[index]),
            100 * int(right[index]) / int(totals[index]),
            trained.name_class(int(taken_for[index])) if most[index] else None,
            int(most[index]),
        )
        for index in totals.nonzero().flatten().tolist()
    ]
    return tuple(sorted(found, key=lambda each: (each.top1, -each.images, each.index)))
