"""What a trained network sees in image files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import Problem, SpecError
from .data import Loader, make_loader, workers_watched
from .data.image_files import ImageFiles
from .devices import check_device, opened_accelerator
from .trained import Trained


@dataclass(frozen=True, slots=True)
class Guess:
    """A class and its probability, 0 to 1."""

    index: int
    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The likeliest classes of an image, the likeliest first, or none and the `problem` why it can't be read."""

    image: Path
    guesses: tuple[Guess, ...]
    problem: str | None = None


def predict(
    trained: Trained,
    images: Sequence[str | os.PathLike[str]],
    *,
    top: int = 5,
    batch_size: int = 64,
    workers: int = 0,
    device: str = "auto",
    advance: Callable[[int], None] = lambda count: None,
) -> Iterator[Prediction]:
    """One prediction an image file, in their order, by the `top` likeliest classes.

    `workers` are the processes that read images; `advance` hears of how many images more are done. Raises SpecError for
    a device that isn't there, and for images of other channels than files have.
    """
    check_device(device, "no")
    if top < 1:
        raise SpecError(Problem(f"{top} is too small; use 1 or more", "top", code="too_small"))
    files = ImageFiles([Path(image) for image in images], trained.in_channels)
    with opened_accelerator(device, mixed_precision="no", accumulate=1, tracker=None, logs="") as accelerator:
        loader = make_loader(
            files,
            augmentation=trained.augmentation,
            batch_size=batch_size,
            resolution=trained.resolution,
            is_training=False,
            workers=workers,
            device=accelerator.device,
            max_unreadable=1,
        )
        trained.model.to(accelerator.device)
        done = 0
        for place, guesses in _guess(trained, loader, top):
            yield from _unread(files, range(done, place), loader)
            yield Prediction(files.paths[place], guesses)
            advance(place + 1 - done)
            done = place + 1
        yield from _unread(files, range(done, len(files)), loader)
        advance(len(files) - done)


def _guess(trained: Trained, loader: Loader, top: int) -> Iterator[tuple[int, tuple[Guess, ...]]]:
    """The place and the likeliest classes of each image that can be read."""
    try:
        with workers_watched():
            for images, places in loader.epoch(0):
                with torch.inference_mode():
                    probabilities = trained.model(images).float().softmax(dim=1)
                    values, indices = probabilities.topk(min(top, trained.classes))
                for place, row, classes in zip(places.tolist(), values.tolist(), indices.tolist(), strict=True):
                    pairs = zip(classes, row, strict=True)
                    yield place, tuple(Guess(index, trained.name_class(index), value) for index, value in pairs)
    except SpecError as error:
        if error.problems[0].code != "unreadable":  # none of them at all: told one by one, as others are
            raise


def _unread(files: ImageFiles, places: range, loader: Loader) -> Iterator[Prediction]:
    for place in places:
        yield Prediction(files.paths[place], (), loader.unreadable[files.describe(place)])
