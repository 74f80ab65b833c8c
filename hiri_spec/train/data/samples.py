"""Images made ready one by one, in whichever process: read, distorted by their own random numbers, gathered."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from timm.data.loader import fast_collate
from torch import Tensor
from torch.utils.data import Dataset

from .images import UNREADABLE, ImageSet, why_unreadable
from .mixing import Mixing
from .order import Key
from .randomness import DISTORTION, reseeding
from .transform import Transform


@dataclass(slots=True)
class Ready:
    """An image as bytes (channels, height, width), if there is one, and which numbers could not be read, and why."""

    key: Key
    image: Tensor | None
    target: int
    failures: dict[int, str]


class Gathered(NamedTuple):
    """A batch: bytes (B, C, H, W), class indices (B,) or probabilities (B, classes); what could not be read for it."""

    content: tuple[Tensor, Tensor] | None
    failures: dict[int, str]


class Samples(Dataset[Ready]):
    """The images of a data set, transformed, by key.

    An unreadable image is left out where `attempts` is 1, or else replaced by the next readable one, as the step needs
    a whole batch. timm's data sets replace too, but tell nobody, least of all the process that started the workers.
    """

    def __init__(self, images: ImageSet, transform: Transform, *, seed: int, attempts: int) -> None:
        self.images = images
        self.transform = transform
        self.seed = seed
        self.attempts = attempts

    def __getitems__(self, keys: list[Key]) -> list[Ready]:
        """The images of a batch; DataLoader asks for all at once."""
        with reseeding() as seed:
            return [self._make_ready(key, seed) for key in keys]

    def _make_ready(self, key: Key, seed: Callable[..., None]) -> Ready:
        epoch, _, index = key
        failures: dict[int, str] = {}
        for attempt in range(self.attempts):
            number = (index + attempt) % len(self.images)
            try:
                image, target = self.images[number]
            except UNREADABLE as error:
                failures[number] = why_unreadable(error)
                continue
            seed(self.seed, epoch, DISTORTION, index)
            return Ready(key, self.transform(image), target, failures)
        return Ready(key, None, -1, failures)


class Gather:
    """Stacks what was read, and mixes it for training. Batches are made up by the process that has read them."""

    def __init__(self, mixing: Mixing | None) -> None:
        self._mixing = mixing

    def __call__(self, samples: Sequence[Ready]) -> Gathered:
        failures = {number: reason for sample in samples for number, reason in sample.failures.items()}
        read = [(sample.image, sample.target) for sample in samples if sample.image is not None]
        if not read:
            return Gathered(None, failures)
        if self._mixing is None:
            return Gathered(fast_collate(read), failures)
        if len(read) < len(samples):  # so many are unreadable that training ends here
            return Gathered(None, failures)
        epoch, number, _ = samples[0].key
        return Gathered(self._mixing(read, epoch, number), failures)


def leave_interrupts(worker_id: int) -> None:
    """Let Ctrl-C and SIGTERM reach the main process alone, which wants its batches until it has saved what it has.

    The worker goes when the main process itself sends it SIGTERM, as that does at its end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # elsewhere than on Linux a SIGTERM to the group ends it, by torch's handler
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_leave_for, args=(os.getppid(),), daemon=True).start()


def _leave_for(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(128 + signal.SIGTERM)
