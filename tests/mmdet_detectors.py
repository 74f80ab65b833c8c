"""Small detectors of mmdetection, and a step of theirs, that the tests of that host share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from hiri_spec.tasks.assembly import detector
from hiri_spec.tasks.model import DenseModel
from hiri_spec.tasks.scenes import Objects

HEADS = ["retinanet", "mask_rcnn", "cascade_mask_rcnn", "atss", "gfl", "sparse_rcnn"]
MASKS = ["mask_rcnn", "cascade_mask_rcnn"]
TINY = "specs/tiny.yaml"
SIZE, OTHER = (75, 90), (101, 67)  # no stride divides any of them
Models = Callable[[str], Any]


def assemble(head: str, origin: Any = TINY, **options: Any) -> Any:
    torch.manual_seed(0)
    model: Any = detector(origin, head, classes=3, host="mmdet", **options)
    samplers = getattr(getattr(model.detector, "roi_head", None), "bbox_sampler", [])
    for sampler in samplers if isinstance(samplers, list) else [samplers]:
        sampler.num = 32  # in place of 512 regions an image, for the time that it takes
    if head in MASKS:
        model.detector.rpn_head.test_cfg.max_per_img = 150
    return model


def build_each_once() -> Models:
    """Gives the tiny spec under a head, built once, afresh: in training, without gradients."""
    built: dict[str, DenseModel] = {}

    def give(head: str) -> Any:
        if head not in built:
            built[head] = assemble(head)
        model = built[head].train()
        model.zero_grad(set_to_none=True)
        torch.manual_seed(1)
        return model

    return give


def objects(size: tuple[int, int], count: int = 3) -> Objects:
    boxes = torch.tensor([[5.0, 6, 30, 40], [10, 10, 60, 50], [40, 30, 66, 70]])[:count]
    masks = torch.zeros(count, *size, dtype=torch.bool)
    for mask, (left, top, right, bottom) in zip(masks, boxes.long().tolist(), strict=True):
        mask[top:bottom, left:right] = True
    return Objects(size, boxes, torch.arange(count), masks)


def images(*sizes: tuple[int, int]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.rand(3, *size, generator=generator) for size in sizes]


def step(model: Any, sizes: Sequence[tuple[int, int]], counts: Sequence[int]) -> dict[str, Tensor]:
    targets = [objects(size, count) for size, count in zip(sizes, counts, strict=True)]
    losses: dict[str, Tensor] = model(images(*sizes), targets)
    torch.stack(list(losses.values())).sum().backward()
    return losses


def check_gradients(model: Any) -> None:
    wanted = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert [name for name, gradient in wanted.items() if gradient is None] == []
    assert all(gradient.isfinite().all() for gradient in wanted.values() if gradient is not None)
