"""Batches for training and validation: any batch of any epoch comes out the same again, bit for bit.

Made of torch's DataLoader and of timm's transforms, collation, prefetching and Mixup. timm's create_loader itself can't
be used: it shuffles, erases and mixes by whatever random numbers happen to come next, so that a run that was killed
within an epoch could not go on as if it had not been.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import torch
from timm.data.loader import PrefetchLoader
from torch import Tensor
from torch.utils.data import DataLoader

from ...errors import Problem, SpecError
from ..augmentation import Augmentation
from .images import ImageSet
from .mixing import Mixing, stack
from .order import Order, TrainingOrder, ValidationOrder
from .samples import Gather, Samples, leave_interrupts
from .transform import OnImage, make_transform, normalisation

Batch = tuple[Tensor, Tensor]
Given = TypeVar("Given")
SHOWN_FILES = 3
MAX_UNREADABLE = 0.01


@contextmanager
def workers_watched() -> Iterator[None]:
    """Raise SpecError where a process that reads images dies, out of memory for instance.

    torch raises in the middle of whatever the main process is doing just then: put it around the whole of a loop.
    """
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        message = f"a process that reads images is gone ({error}); if memory is short, use fewer workers"
        raise SpecError(Problem(message, "workers", code="worker_gone")) from error


class Reader(DataLoader[Any]):
    """Batches as they were gathered, on the CPU. `unreadable` says why, by what is said of each image."""

    def __init__(
        self,
        samples: Samples,
        order: Order,
        gather: Gather,
        *,
        workers: int,
        pin_memory: bool,
        max_unreadable: float,
    ) -> None:
        super().__init__(
            samples,
            batch_sampler=order,
            collate_fn=gather,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=pin_memory,
            worker_init_fn=leave_interrupts,
            generator=torch.Generator(),  # or each epoch would draw from the one that training draws from
        )
        self.unreadable: dict[str, str] = {}
        self._images = samples.images
        self._max_unreadable = max_unreadable
        self._limit = count_allowed(max_unreadable, len(samples.images))

    def __iter__(self) -> Any:
        for gathered in super().__iter__():
            self.note({self._images.describe(number): why for number, why in gathered.failures.items()})
            if gathered.content is not None:
                yield gathered.content

    def note(self, unreadable: Mapping[str, str]) -> None:
        """Count images that can't be read, each once; raises SpecError once there are too many."""
        self.unreadable |= unreadable
        count, total = len(self.unreadable), len(self._images)
        if count <= self._limit and count < total:
            return
        shown = "; ".join(f"{name} ({why})" for name, why in list(self.unreadable.items())[:SHOWN_FILES])
        message = (
            f"{count:,} of {total:,} images can't be read, and {self._limit:,} may be passed over: "
            f"{shown}{'; …' if count > SHOWN_FILES else ''}. "
            f"Mend or remove them, or raise max_unreadable, a share, which is {self._max_unreadable:g}"
        )
        raise SpecError(Problem(message, "data", code="unreadable"))


def count_allowed(max_unreadable: float, images: int) -> int:
    """How many images a share of them is, at least one unless it is 0."""
    share = math.floor(max_unreadable * images + 1e-9)  # 0.29 * 100 is 28.999…
    return max(1, share) if max_unreadable else 0


def count_attempts(max_unreadable: float, images: int) -> int:
    """How many images are tried, one after the other, until one can be read: one more than may be passed over."""
    return min(count_allowed(max_unreadable, images) + 1, images)


def check_batches(batch_size: int, workers: int, *, at_most: int | None, process_count: int) -> None:
    """Raise SpecError for numbers of which no batch can be made, of `at_most` so many training images."""
    if batch_size < 1 or workers < 0:
        name, value, least = ("batch_size", batch_size, 1) if batch_size < 1 else ("workers", workers, 0)
        raise SpecError(Problem(f"{value} is too small; use {least} or more", name, code="too_small"))
    whole = batch_size * process_count
    if at_most is not None and at_most < whole:
        message = f"{whole:,} is more than the {at_most:,} training images; use at most {at_most:,}"
        raise SpecError(Problem(message, "batch_size", code="too_large"))


class Epochs(Generic[Given]):
    """What `batches` makes of what a reader reads, epoch by epoch. `len()` is the number of batches of an epoch."""

    def __init__(self, reader: Reader, order: Order, batches: Iterable[Given]) -> None:
        self._reader = reader
        self._order = order
        self._batches = batches

    @property
    def unreadable(self) -> dict[str, str]:
        """The images that could not be read so far, and why."""
        return self._reader.unreadable

    def note_unreadable(self, images: Mapping[str, str]) -> None:
        """Count some that others could not read; raises SpecError where all together are too many."""
        self._reader.note(images)

    def __len__(self) -> int:
        return len(self._order)

    def epoch(self, epoch: int, first_batch: int = 0) -> Iterator[Given]:
        """The batches of an epoch, both counted from 0, from one batch on; one epoch at a time.

        Raises SpecError once too many images are unreadable.
        """
        self._order.epoch, self._order.first_batch = epoch, first_batch
        yield from self._batches


class Loader(Epochs[Batch]):
    """Batches of images (B, C, H, W), normalised, on the device, with their targets.

    In training targets are probabilities (B, classes), smoothed and mixed; otherwise class indices (B,).
    """


def make_loader(
    dataset: ImageSet,
    *,
    augmentation: Augmentation,
    batch_size: int,
    resolution: tuple[int, int],
    is_training: bool,
    seed: int = 0,
    workers: int = 0,
    process_index: int = 0,
    process_count: int = 1,
    classes: int | None = None,
    device: torch.device | str = "cpu",
    max_unreadable: float = MAX_UNREADABLE,
) -> Loader:
    """A loader of a data set's images at a resolution (height, width) in pixels.

    `batch_size` is that of one of `process_count` processes, `classes` the number of the network's scores, by default
    the data set's; `max_unreadable` is the largest share of images that are passed over, at least one unless it is 0.
    In training, the processes' batches together are the very batch that one process would have, and mixed alike, if
    batch sizes are even. Otherwise each image comes once over all processes, so some may get a batch more than others.
    Raises SpecError where no batch can be made.
    """
    check_batches(batch_size, workers, at_most=len(dataset) if is_training else None, process_count=process_count)
    if is_training and augmentation.is_mixed and batch_size % 2:
        message = (
            f"{batch_size} is odd, and Mixup and CutMix mix pairs of images; "
            f"use {batch_size + 1}, or mixup: 0 and cutmix: 0"
        )
        raise SpecError(Problem(message, "batch_size", code="odd"))
    transform = make_transform(augmentation, resolution, in_channels=dataset.in_channels, is_training=is_training)
    mean, std = normalisation(augmentation, dataset.in_channels)
    device = torch.device(device)
    order = (TrainingOrder if is_training else ValidationOrder)(
        len(dataset), batch_size, seed, process_index, process_count
    )
    attempts = count_attempts(max_unreadable, len(dataset)) if is_training else 1
    samples = Samples(dataset, OnImage(transform), seed=seed, attempts=attempts)
    join = Mixing(augmentation, classes or len(dataset.class_names), seed) if is_training else stack
    gather = Gather(join, is_training=is_training)
    on_gpu = device.type == "cuda"
    reader = Reader(samples, order, gather, workers=workers, pin_memory=on_gpu, max_unreadable=max_unreadable)
    return Loader(
        reader, order, PrefetchLoader(reader, mean=mean, std=std, channels=dataset.in_channels, device=device)
    )
