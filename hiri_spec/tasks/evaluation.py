"""How good a head is on held-out images: COCO's average precisions, or the mean intersection over union."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import Any, Protocol

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torchmetrics.classification import MulticlassConfusionMatrix
from torchmetrics.detection import MeanAveragePrecision

from ..train.processes import gathered_by_first, told_by_first
from .heads import Head
from .rescaling import rescale
from .scenes import IGNORED, Answer, Found, Objects, PixelClasses, Target

Observe = Callable[[list[Tensor], list[Answer], list[Target]], None]

PRECISIONS = {
    "AP": "map",
    "AP50": "map_50",
    "AP75": "map_75",
    "APs": "map_small",
    "APm": "map_medium",
    "APl": "map_large",
}
"""What COCO calls them, and what torchmetrics does."""
OF_MASKS = "mask_"
PIXEL_FIGURES = ("mIoU", "accuracy")


def figure_names(head: Head) -> tuple[str, ...]:
    """What a head's figures are called, the one that says most first."""
    if head.is_segmentation:
        return PIXEL_FIGURES
    return (*PRECISIONS, *(OF_MASKS + name for name in PRECISIONS if head.kind == "masks"))


@torch.no_grad()
def evaluate_scenes(
    model: nn.Module,
    batches: Iterable[tuple[list[Tensor], list[Target]]],
    head: Head,
    classes: int,
    accelerator: Accelerator,
    *,
    observe: Observe | None = None,
) -> dict[str, float]:
    """Figures in per cent over the batches of all processes together, by `figure_names`; nan of what there is none of.

    Objects: AP is the mean over IoUs from 0.5 to 0.95 and over the classes that occur, of at most 100 objects a class
    and image; s, m and l are areas below 32², between, and above 96² pixels of the image as it was. Groups are neither
    right nor wrong. Pixels: mIoU is the mean over the classes that occur in the images, and accuracy the share of
    pixels that are right, both without those of no class. (mmsegmentation counts classes with 0 that are only seen
    where they are not; of ADE20K's all occur.)

    `classes` are the head's, which may be more than the data have: a pixel of one of those is a wrong one.
    The model answers in its images' own sizes, and is left in the mode that it came in.
    `observe` is given each batch's images, and what was seen and what is there in the size that the images had.
    """
    device = accelerator.device
    figures: Figures = (
        PixelFigures(classes, device) if head.is_segmentation else ObjectFigures(has_masks=head.kind == "masks")
    )
    was_training = model.training
    model.eval()
    try:
        for images, targets in batches:
            images = [image.to(device, non_blocking=True) for image in images]
            with accelerator.autocast():
                seen: list[Answer] = model(images)
            answers = [
                rescale(answer, _size(image), size_of(target))
                for answer, image, target in zip(seen, images, targets, strict=True)
            ]
            figures.update(answers, targets)
            if observe is not None:
                observe(images, answers, targets)
    finally:
        model.train(was_training)
    return figures.compute()


def without_nan(figures: dict[str, float]) -> dict[str, float | None]:
    """Figures as files and tables have them: None of what there is none of."""
    return {name: None if math.isnan(value) else value for name, value in figures.items()}


def size_of(target: Target) -> tuple[int, int]:
    """Height and width of the image that a target is of."""
    return target.size if isinstance(target, Objects) else _size(target.classes)


def _size(image: Tensor) -> tuple[int, int]:
    height, width = image.shape[-2:]
    return height, width


class Figures(Protocol):
    """Figures that grow batch by batch."""

    def update(self, answers: Sequence[Answer], targets: Sequence[Target]) -> None:
        """Count a batch."""

    def compute(self) -> dict[str, float]:
        """The figures over all processes, in per cent."""
        ...


class ObjectFigures:
    """Average precisions of boxes, and of masks where there are some, by COCO's own tool."""

    def __init__(self, *, has_masks: bool) -> None:
        self._has_masks = has_masks
        self._metric = MeanAveragePrecision(
            iou_type=("bbox", "segm") if has_masks else "bbox",
            # torchmetrics' own are rounded to 4 bytes: an IoU of 0.6 does not reach 0.6 then, and AP is not COCO's
            iou_thresholds=np.linspace(0.5, 0.95, 10).tolist(),
            rec_thresholds=np.linspace(0, 1, 101).tolist(),
            backend="pycocotools",
            sync_on_compute=False,
        )
        self._metric.warn_on_many_detections = False

    def update(self, answers: Sequence[Answer], targets: Sequence[Target]) -> None:
        self._metric.update([self._seen(each) for each in answers], [self._there(each) for each in targets])

    def _seen(self, found: Answer) -> dict[str, Tensor]:
        assert isinstance(found, Found)
        return {**self._of_both(found), "scores": found.scores.float().cpu()}

    def _there(self, objects: Target) -> dict[str, Tensor]:
        assert isinstance(objects, Objects)
        noted = {"iscrowd": objects.is_crowd, "area": objects.areas}
        return {**self._of_both(objects), **{name: own.cpu() for name, own in noted.items() if own is not None}}

    def _of_both(self, some: Found | Objects) -> dict[str, Tensor]:
        values = {"boxes": some.boxes.float().cpu(), "labels": some.labels.cpu()}
        if self._has_masks:
            assert some.masks is not None
            values["masks"] = some.masks.to(torch.uint8).cpu()
        return values

    def compute(self) -> dict[str, float]:
        """Of what all processes have seen; the first one reckons, as that takes minutes and memory for large data.

        torchmetrics' own gathering waits for ever where one process has an image less than another.
        """
        names = list(self._metric.metric_state)
        everyones = gathered_by_first({name: getattr(self._metric, name) for name in names})
        return told_by_first({} if everyones is None else self._reckon(names, everyones))

    def _reckon(self, names: Sequence[str], everyones: list[dict[str, list[Any]]]) -> dict[str, float]:
        for name in names:
            # in the order of the images, of which each process had every so manyth
            rounds = zip_longest(*(states[name] for states in everyones), fillvalue=_NONE)
            setattr(self._metric, name, [value for each in rounds for value in each if value is not _NONE])
        result = self._metric.compute()
        kinds = {"": "bbox_", OF_MASKS: "segm_"} if self._has_masks else {"": ""}
        return {
            ours + name: _per_cent(float(result[theirs + key]))
            for ours, theirs in kinds.items()
            for name, key in PRECISIONS.items()
        }


_NONE = object()


def _per_cent(share: float) -> float:
    return math.nan if share < 0 else 100 * share  # -1 is COCO's word for the mean of nothing


class PixelFigures:
    """Mean intersection over union, and the share of pixels that are right."""

    def __init__(self, classes: int, device: torch.device) -> None:
        self._matrix = MulticlassConfusionMatrix(max(2, classes), ignore_index=IGNORED, validate_args=False).to(device)

    def update(self, answers: Sequence[Answer], targets: Sequence[Target]) -> None:
        for answer, target in zip(answers, targets, strict=True):
            assert isinstance(answer, PixelClasses)
            assert isinstance(target, PixelClasses)
            device = self._matrix.device
            self._matrix.update(answer.classes.to(device), target.classes.to(device))

    def compute(self) -> dict[str, float]:
        counts = self._matrix.compute().double()  # rows are what is there, columns what is seen
        right, there, seen = counts.diag(), counts.sum(1), counts.sum(0)
        occurs = there > 0
        if not occurs.any():
            return dict.fromkeys(PIXEL_FIGURES, math.nan)
        shares = right[occurs] / (there + seen - right)[occurs]
        return {"mIoU": 100 * float(shares.mean()), "accuracy": 100 * float(right.sum() / there.sum())}
