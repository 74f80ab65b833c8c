"""Images made ready one by one, in whichever process: read, distorted by their own random numbers, gathered."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from torch.utils.data import Dataset

from .images import UNREADABLE, why_unreadable
from .order import Key
from .randomness import DISTORTION, reseeding

Prepare = Callable[[Any], Any]
"""Makes what a data set gives for a number ready for a batch, by chance in training."""
Join = Callable[[list[Any], int, int], Any]
"""Makes a batch of what was made ready, by the epoch and the number of the batch in it."""


class Readable(Protocol):
    """What is read by number: images with classes, or with whatever else is in them."""

    def __len__(self) -> int:
        """Number of images."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """One image and what is known of it. Raises one of UNREADABLE where it can't be read."""
        ...

    def describe(self, index: int) -> str:
        """What to call an image in a message."""
        ...


@dataclass(slots=True)
class Ready:
    """What was made ready of an image, if it could be read, and which numbers could not be, and why."""

    key: Key
    content: Any | None
    failures: dict[int, str]


class Gathered(NamedTuple):
    """A batch, if one could be made, and what could not be read for it."""

    content: Any | None
    failures: dict[int, str]


class Samples(Dataset[Ready]):
    """The images of a data set, made ready, by key.

    An unreadable image is left out where `attempts` is 1, or else replaced by the next readable one, as the step needs
    a whole batch. timm's data sets replace too, but tell nobody, least of all the process that started the workers.
    """

    def __init__(self, images: Readable, prepare: Prepare, *, seed: int, attempts: int) -> None:
        self.images = images
        self.prepare = prepare
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
                sample = self.images[number]
            except UNREADABLE as error:
                failures[number] = why_unreadable(error)
                continue
            seed(self.seed, epoch, DISTORTION, index)
            return Ready(key, self.prepare(sample), failures)
        return Ready(key, None, failures)


class Gather:
    """Makes batches of what was read, in the process that has read it.

    `is_training` is for batches that are whole or not made at all.
    """

    def __init__(self, join: Join, *, is_training: bool) -> None:
        self._join = join
        self._is_training = is_training

    def __call__(self, samples: Sequence[Ready]) -> Gathered:
        failures = {number: reason for sample in samples for number, reason in sample.failures.items()}
        read = [sample.content for sample in samples if sample.content is not None]
        if not read or (self._is_training and len(read) < len(samples)):  # so many are unreadable that training ends
            return Gathered(None, failures)
        epoch, number, _ = samples[0].key
        return Gathered(self._join(read, epoch, number), failures)


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
