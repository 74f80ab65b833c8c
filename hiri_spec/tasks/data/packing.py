"""Many tensors as a few, one of each type: each that a process hands to another takes a file descriptor of both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from ..scenes import Objects, PixelClasses, Target
from .transform import Content, as_floats

Batch = tuple[list[Tensor], list[Target]]
"""Images (3, h, w), numbers from 0 to 1, each of its own size, and what is in each."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch: `flat` (N,) of each type; type and shape of each tensor in it in order, None for one that is missing.

    `sizes` are those (height, width) that objects are told for, None for pixel classes.
    """

    flat: dict[torch.dtype, Tensor]
    parts: list[tuple[torch.dtype, tuple[int, ...]] | None]
    sizes: list[tuple[int, int] | None]

    def _each(self, change: Callable[[Tensor], Tensor]) -> Self:
        return type(self)({kind: change(flat) for kind, flat in self.flat.items()}, self.parts, self.sizes)

    def pin_memory(self) -> Self:
        """The same in memory that a GPU can read; DataLoader asks for it by this name."""
        return self._each(Tensor.pin_memory)

    def unpack(self, device: torch.device) -> Batch:
        """The batch on a device, images as numbers from 0 to 1."""
        tensors = self._each(lambda flat: flat.to(device, non_blocking=True))._tensors()
        images: list[Tensor] = []
        targets: list[Target] = []
        for size in self.sizes:
            images.append(as_floats(_present(next(tensors))))
            if size is None:
                targets.append(PixelClasses(_present(next(tensors)).long()))
            else:
                boxes, labels = _present(next(tensors)), _present(next(tensors))
                targets.append(Objects(size, boxes, labels, next(tensors), next(tensors), next(tensors)))
        return images, targets

    def _tensors(self) -> Iterator[Tensor | None]:
        starts: dict[torch.dtype, int] = defaultdict(int)
        for part in self.parts:
            if part is None:
                yield None
                continue
            kind, shape = part
            count = torch.Size(shape).numel()
            yield self.flat[kind][starts[kind] : starts[kind] + count].view(shape)
            starts[kind] += count


def _present(tensor: Tensor | None) -> Tensor:
    assert tensor is not None
    return tensor


def pack(contents: list[Content], epoch: int, number: int) -> Packed:
    """A batch of what was made ready, by the order in it alone."""
    tensors: list[Tensor | None] = []
    sizes: list[tuple[int, int] | None] = []
    for image, target in contents:
        tensors.append(image)
        if isinstance(target, Objects):
            tensors += [target.boxes, target.labels, target.masks, target.is_crowd, target.areas]
            sizes.append(target.size)
        else:
            tensors.append(target.classes.to(torch.uint8))  # an eighth of the bytes; IGNORED is the greatest there is
            sizes.append(None)
    flat: dict[torch.dtype, list[Any]] = defaultdict(list)
    for tensor in tensors:
        if tensor is not None:
            flat[tensor.dtype].append(tensor.reshape(-1))
    parts = [None if tensor is None else (tensor.dtype, tuple(tensor.shape)) for tensor in tensors]
    return Packed({kind: torch.cat(own) for kind, own in flat.items()}, parts, sizes)
