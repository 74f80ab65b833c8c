"""DenseModel: what every host's adapter is: a backbone under a head, with losses in training and answers otherwise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from torch import Tensor, nn

from ..errors import Problem, SpecError
from ..train.single_images import told_single_images
from ..transforms import Transfer
from .labels import check_labels
from .maps import Maps
from .padding import Batch, join
from .scenes import Answer, Target
from .task import Task

Part = Literal["neck", "head"]
Attribute = Callable[[Part], AbstractContextManager[Any]]


class DenseModel(nn.Module, ABC):
    """A backbone under a head of some host.

    Called with images, each (3, H, W) of 0 to 1 and of whatever size, and with targets in training: gives the losses by
    name, scalars to be added up. Called with images alone: gives an answer an image, in that image's own pixels.
    """

    transfer: Transfer | None = None
    """What was carried into the backbone, if anything was."""

    def __init__(self, task: Task, maps: Maps) -> None:
        super().__init__()
        self.task = task
        self.maps = maps
        self.divisor = max(maps.strides)
        """Sides of a batch are padded to multiples of it."""

    def forward(
        self, images: Sequence[Tensor], targets: Sequence[Target] | None = None
    ) -> dict[str, Tensor] | list[Answer]:
        if not len(images) or (targets is not None and len(targets) != len(images)):
            what = "no images" if targets is None else f"{len(images)} images and {len(targets)} targets"
            raise SpecError(Problem(f"{what} are given; give one image or more, each with its target", "images"))
        if targets is not None:
            check_labels(targets, self.task.classes)
        batch = join(images, self.divisor)
        with told_single_images():
            if targets is not None:
                return self.compute_losses(batch, targets)
            return self.answer(batch)

    @abstractmethod
    def compute_losses(self, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        """Losses by name: scalars, those alone whose sum is to be made smaller."""

    @abstractmethod
    def answer(self, batch: Batch) -> list[Answer]:
        """What is in each image, in the pixels of that image as it was before padding."""

    @abstractmethod
    def run_for_cost(self, maps: Sequence[Tensor], size: tuple[int, int], part: Attribute) -> dict[str, int]:
        """Run neck and head once, as in inference on one image of a size (height, width), on any device, meta too.

        Each of the two runs within `part("neck")` or `part("head")`. Numbers that depend on the image are taken as
        given (1,000 proposals, 100 masks); what they are is returned by name.
        """
