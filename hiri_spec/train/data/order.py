"""Which images make which batch: by seed and epoch alone, so that any batch can be found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch.utils.data import Sampler

Member = TypeVar("Member")
Key = tuple[int, int, int]
"""Epoch, number of the batch in it, number of the image in its data set."""


def share(batch: Sequence[Member], process_index: int, process_count: int) -> Sequence[Member]:
    """One process's part of a batch.

    Mixup and CutMix pair the first image with the last, the second with the last but one, and so on. Each process
    gets whole pairs, in that order, so that its part is mixed as it would be within the whole.
    """
    size = len(batch) // process_count
    if size % 2:
        return batch[process_index * size : (process_index + 1) * size]
    half = size // 2
    start, end = process_index * half, len(batch) - process_index * half
    return [*batch[start : start + half], *batch[end - half : end]]


@dataclass(slots=True)
class TrainingOrder(Sampler[list[Key]]):
    """Batches of an epoch, shuffled by (seed, epoch); what is left over at the end is left out.

    `batch_size` is one process's. `epoch` and `first_batch` are set before each iteration.
    """

    images: int
    batch_size: int
    seed: int
    process_index: int = 0
    process_count: int = 1
    epoch: int = 0
    first_batch: int = 0

    def __len__(self) -> int:
        return self.images // (self.batch_size * self.process_count)

    def __iter__(self) -> Iterator[list[Key]]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.images)
        whole = self.batch_size * self.process_count
        for number in range(self.first_batch, len(self)):
            batch = order[number * whole : (number + 1) * whole].tolist()
            yield [(self.epoch, number, index) for index in share(batch, self.process_index, self.process_count)]


@dataclass(slots=True)
class ValidationOrder(Sampler[list[Key]]):
    """Batches of all images in their order, each image once over all processes; the last batch may be smaller.

    timm's and torch's samplers repeat images to give all processes equally many, which changes accuracies.
    """

    images: int
    batch_size: int
    seed: int = 0  # there is nothing by chance
    process_index: int = 0
    process_count: int = 1
    epoch: int = 0
    first_batch: int = 0

    def __len__(self) -> int:
        own = len(range(self.process_index, self.images, self.process_count))
        return -(-own // self.batch_size)

    def __iter__(self) -> Iterator[list[Key]]:
        own = range(self.process_index, self.images, self.process_count)
        for number in range(self.first_batch, len(self)):
            batch = own[number * self.batch_size : (number + 1) * self.batch_size]
            yield [(self.epoch, number, index) for index in batch]


@dataclass(slots=True)
class StepOrder(Sampler[list[Key]]):
    """Batches of epochs of `epoch_batches` each, cut out of pass after pass over all images, wherever they end.

    Each pass is shuffled by (seed, pass); a batch may have the end of one in it and the beginning of the next. What
    stands for the epoch in a key is the pass, as an epoch may see an image twice, and distorts it anew then.
    """

    images: int
    batch_size: int
    seed: int
    process_index: int = 0
    process_count: int = 1
    epoch_batches: int = 1
    epoch: int = 0
    first_batch: int = 0

    def __len__(self) -> int:
        return self.epoch_batches

    def __iter__(self) -> Iterator[list[Key]]:
        whole = self.batch_size * self.process_count
        shuffled: int | None = None
        order: list[int] = []
        for number in range(self.first_batch, self.epoch_batches):
            first = (self.epoch * self.epoch_batches + number) * whole
            batch = []
            for position in range(first, first + whole):
                current, place = divmod(position, self.images)
                if current != shuffled:
                    shuffled = current
                    order = np.random.default_rng((self.seed, current)).permutation(self.images).tolist()
                batch.append((current, number, order[place]))
            yield list(share(batch, self.process_index, self.process_count))


Order = TrainingOrder | ValidationOrder | StepOrder
