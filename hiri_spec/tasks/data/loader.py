"""Batches of scenes: any batch of any epoch comes out the same again, bit for bit, with any number of processes."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ...train.data.loader import MAX_UNREADABLE, Epochs, Reader, check_batches, count_attempts
from ...train.data.order import Order, StepOrder, TrainingOrder, ValidationOrder
from ...train.data.samples import Gather, Samples
from ..recipe import Images
from .packing import Batch, pack
from .scene_set import SceneSet
from .transform import EvaluationTransform, TrainingTransform


class SceneLoader(Epochs[Batch]):
    """Batches of images (3, h, w), numbers from 0 to 1, each of its own size, with what is in each; on the device."""


class _OnDevice:
    """What a reader reads, unpacked on a device."""

    def __init__(self, reader: Reader, device: torch.device) -> None:
        self._reader = reader
        self._device = device

    def __iter__(self) -> Iterator[Batch]:
        for packed in self._reader:
            yield packed.unpack(self._device)


def make_scene_loader(
    scenes: SceneSet,
    *,
    images: Images,
    batch_size: int,
    is_training: bool,
    seed: int = 0,
    workers: int = 0,
    process_index: int = 0,
    process_count: int = 1,
    device: torch.device | str = "cpu",
    max_unreadable: float = MAX_UNREADABLE,
    epoch_steps: int | None = None,
    accumulate: int = 1,
) -> SceneLoader:
    """A loader of a data set's scenes, made ready as `images` says.

    `batch_size` is that of one of `process_count` processes, `max_unreadable` the largest share of images that are
    passed over, at least one unless it is 0. In training, the processes' batches together are the very batch that one
    process would have. With `epoch_steps` an epoch has so many steps, of `accumulate` batches each, wherever in the
    images they end; without, it goes once through the images, and what is left over at its end is left out. Otherwise
    than in training each image comes once over all processes, so some may get a batch more than others, and what is in
    an image is told for it as it is in the data set, not as it is resized. Raises SpecError where no batch can be made.
    """
    is_counted = is_training and epoch_steps is None
    check_batches(batch_size, workers, at_most=len(scenes) if is_counted else None, process_count=process_count)
    device = torch.device(device)
    place = batch_size, seed, process_index, process_count
    order: Order
    if not is_training:
        order = ValidationOrder(len(scenes), *place)
    elif epoch_steps is None:
        order = TrainingOrder(len(scenes), *place)
    else:
        order = StepOrder(len(scenes), *place, epoch_batches=epoch_steps * accumulate)
    prepare = TrainingTransform(images) if is_training else EvaluationTransform(images)
    attempts = count_attempts(max_unreadable, len(scenes)) if is_training else 1
    reader = Reader(
        Samples(scenes, prepare, seed=seed, attempts=attempts),
        order,
        Gather(pack, is_training=is_training),
        workers=workers,
        pin_memory=device.type == "cuda",
        max_unreadable=max_unreadable,
    )
    return SceneLoader(reader, order, _OnDevice(reader, device))
