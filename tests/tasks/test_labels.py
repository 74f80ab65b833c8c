"""Labels that a head has no class for are told by their place, before losses take them for places in memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from dense_scenes import CLASSES, learn, task_of, tiny_under

from hiri_spec import SpecError
from hiri_spec.tasks.labels import check_labels
from hiri_spec.tasks.model import DenseModel
from hiri_spec.tasks.scenes import IGNORED, Objects, PixelClasses, Target

SIZE = 64, 70


def objects(*labels: int) -> Objects:
    boxes = torch.tensor([[4.0, 4, 30, 30]]).expand(len(labels), 4)
    masks = torch.ones(len(labels), *SIZE, dtype=torch.bool)
    return Objects(SIZE, boxes, torch.tensor(labels, dtype=torch.long), masks)


def pixels(label: int) -> PixelClasses:
    classes = torch.full(SIZE, IGNORED)
    classes[:3] = 1
    classes[2, 5] = label
    return PixelClasses(classes)


@pytest.fixture(scope="module", params=["retinanet", "mask_rcnn", "atss", "upernet"])
def model(request: pytest.FixtureRequest) -> DenseModel:
    return tiny_under(request.param)


@pytest.mark.parametrize("label", [CLASSES, -1, 1000], ids=["one too many", "negative", "far"])
def test_every_head_tells_of_a_label_that_it_has_no_class_for(model: DenseModel, label: int) -> None:
    if model.task.kind.is_segmentation:
        targets: list[Target] = [pixels(0), pixels(label)]
        message = rf"^targets\[1\]\.classes\[2, 5\]: class {label} is none of the head's 3 classes; use 0 to 2, 255"
    else:
        targets = [objects(0, 1, 2), objects(2, label)]
        message = rf"^targets\[1\]\.labels\[1\]: label {label} is none of the head's 3 classes; use 0 to 2, or a head"
    with pytest.raises(SpecError, match=message):
        model.train()([torch.rand(3, *SIZE)] * 2, targets)


def test_pixels_of_no_class_pass() -> None:
    losses = learn(tiny_under("upernet"), [torch.rand(3, *SIZE)], [pixels(IGNORED)])
    assert all(loss.isfinite() for loss in losses.values())


def test_objects_have_no_label_for_nobody_knows() -> None:
    with pytest.raises(SpecError, match=r"targets\[0\]\.labels\[0\]: label 255 is none of the head's 80 classes"):
        check_labels([objects(IGNORED)], 80)


@pytest.mark.parametrize(
    "targets",
    [
        [],
        [objects()],
        [objects(), objects(2)],
        [PixelClasses(torch.full((2, 2), IGNORED, dtype=torch.uint8))],
        [PixelClasses(torch.zeros(0, 4, dtype=torch.long))],
    ],
    ids=["no images", "nothing", "nothing and something", "bytes", "no pixels"],
)
def test_what_is_right_passes(targets: list[Any]) -> None:
    check_labels(targets, 3)


def test_what_is_no_target_is_left_to_the_head() -> None:
    model = tiny_under("retinanet")
    assert model.task == task_of("retinanet")
    with pytest.raises(SpecError, match=r"targets: a detector learns Objects"):
        model.train()([torch.rand(3, *SIZE)], [{"labels": [9]}])  # type: ignore[list-item]  # that is the test
