"""Networks under heads, and scenes for them, that the tests of tasks share."""

from typing import Any

import torch
from torch import Tensor

import hiri_spec
from hiri_spec.schema import ModelSpec
from hiri_spec.tasks.assembly import assemble
from hiri_spec.tasks.model import DenseModel
from hiri_spec.tasks.scenes import Objects, Target
from hiri_spec.tasks.task import Task, read_task
from hiri_spec.tasks.trying import draw_scenes

CLASSES = 3
SIDE = 90
"""No stride divides it, and the second image is 12 pixels wider."""


def networks() -> dict[str, ModelSpec | str]:
    """A spec of five stages, PVTv2's as it is, as timm has it, and taken to a higher resolution."""
    scaled = hiri_spec.scale_up("pvt_v2_b0", resolution=448)
    usual = hiri_spec.load("pvt_v2_b0")
    return {"tiny": hiri_spec.load("tiny"), "pvt_v2": usual, "timm": "pvt_v2_b0", "scaled_up": scaled}


def tiny_under(head: str, **fields: Any) -> DenseModel:
    """The smallest network under a head, from one seed."""
    torch.manual_seed(0)
    return hastened(assemble(hiri_spec.load("tiny"), task_of(head, **fields)))


def hastened(model: Any) -> Any:
    """The same, looking at few regions of an image."""
    if hasattr(model, "roi_heads"):
        model.roi_heads.fg_bg_sampler.batch_size_per_image = 32
        model.roi_heads.detections_per_img = 10
        model.rpn._post_nms_top_n = {"training": 100, "testing": 50}
    return model


def task_of(head: str, **fields: Any) -> Task:
    """A task of few classes."""
    return read_task({"head": head, "classes": CLASSES, **fields})


def scenes_for(model: DenseModel, side: int = SIDE) -> tuple[list[Tensor], list[Target]]:
    """Two images of different sizes and what is in them."""
    return draw_scenes(model.task, side, 0)


def emptied(target: Target) -> Target:
    """An image of the same size without any object."""
    assert isinstance(target, Objects)
    none = torch.zeros(0, dtype=torch.int64)
    masks = None if target.masks is None else target.masks[none]
    return Objects(target.size, target.boxes[none], target.labels[none], masks)


def learn(model: DenseModel, images: list[Tensor], targets: list[Target], *, seed: int = 0) -> dict[str, Tensor]:
    """Losses of one step, whose gradients are left in the parameters."""
    torch.manual_seed(seed)
    model.zero_grad(set_to_none=True)
    losses = model.train()(images, targets)
    assert isinstance(losses, dict)
    sum(losses.values(), torch.zeros(())).backward()
    return losses


def without_gradient(model: DenseModel) -> list[str]:
    """Names of the parameters that should have a gradient of numbers and have none."""
    return [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.isfinite().all())
    ]
