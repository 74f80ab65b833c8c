"""Images made ready one by one, in whichever process: read, distorted by their own random numbers, gathered."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from timm.data.loader import fast_collate
from torch import Tensor
from torch.utils.data import Dataset

from .images import UNREADABLE, ImageSet, why_unreadable
from .order import Key
from .randomness import seeded
from .transform import Transform

AUGMENT, MIX = 0, 1
"""What random numbers are for, as part of their key."""


@dataclass(slots=True)
class Ready:
    """An image as bytes (channels, height, width), if there is one, and which numbers could not be read, and why."""

    image: Tensor | None
    target: int
    failures: dict[int, str]


@dataclass(slots=True)
class Gathered:
    """A batch: bytes (images, channels, height, width), class indices, and what could not be read for it."""

    images: Tensor | None
    targets: Tensor
    failures: dict[int, str]


class Samples(Dataset[Ready]):
    """The images of a data set, transformed, by (epoch, number).

    An unreadable image is left out where `attempts` is 1, or else replaced by the next readable one, as the step needs
    a whole batch. timm's data sets replace too, but tell nobody, least of all the process that started the workers.
    """

    def __init__(self, images: ImageSet, transform: Transform, *, seed: int, attempts: int) -> None:
        self.images = images
        self.transform = transform
        self.seed = seed
        self.attempts = attempts

    def __getitem__(self, key: Key) -> Ready:
        epoch, index = key
        failures: dict[int, str] = {}
        for attempt in range(self.attempts):
            number = (index + attempt) % len(self.images)
            try:
                image, target = self.images[number]
            except UNREADABLE as error:
                failures[number] = why_unreadable(error)
                continue
            with seeded(self.seed, epoch, AUGMENT, index):
                return Ready(self.transform(image), target, failures)
        return Ready(None, -1, failures)


def gather(samples: Sequence[Ready]) -> Gathered:
    """Stack what was read."""
    failures = {number: reason for sample in samples for number, reason in sample.failures.items()}
    read = [(sample.image, sample.target) for sample in samples if sample.image is not None]
    if not read:
        return Gathered(None, torch.empty(0, dtype=torch.long), failures)
    images, targets = fast_collate(read)
    return Gathered(images, targets, failures)


def leave_interrupts(worker_id: int) -> None:
    """Let Ctrl-C reach the main process alone, which still wants its batches until it has saved what it has."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
