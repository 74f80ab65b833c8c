"""What a trained network sees in image files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import Problem, SpecError
from .data import make_loader, workers_watched
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


@torch.inference_mode()
def predict(
    trained: Trained,
    images: Sequence[Path],
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
        raise SpecError(Problem(f"{top} is too small; use 1 or more", "--top", code="too_small"))
    files = ImageFiles(images, trained.in_channels)
    with opened_accelerator(device, mixed_precision="no", accumulate=1, tracker=None, logs="") as accelerator:
        loader = make_loader(
            files,
            augmentation=trained.augmentation,
            batch_size=batch_size,
            resolution=trained.resolution,
            is_training=False,
            workers=workers,
            device=accelerator.device,
            max_unreadable=len(files),
        )
        model = trained.model.to(accelerator.device)
        done = 0
        try:
            with workers_watched():
                for batch, places in loader.epoch(0):
                    shares, indices = model(batch).float().softmax(dim=1).topk(min(top, trained.classes))
                    for place, row, order in zip(places.tolist(), shares.tolist(), indices.tolist(), strict=True):
                        for passed in range(done, place):
                            yield _unread(images[passed], loader.unreadable)
                        guesses = (Guess(i, trained.name_class(i), p) for i, p in zip(order, row, strict=True))
                        yield Prediction(images[place], tuple(guesses))
                        advance(place + 1 - done)
                        done = place + 1
        except SpecError as error:
            if error.problems[0].code != "unreadable":  # not one of them could be read
                raise
        for passed in range(done, len(images)):
            yield _unread(images[passed], loader.unreadable)
        advance(len(images) - done)


def _unread(image: Path, reasons: dict[str, str]) -> Prediction:
    return Prediction(image, (), reasons[str(image)])
