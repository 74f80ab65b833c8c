"""Tasks as data: what goes together, and which maps feed the neck."""

from __future__ import annotations

from typing import Any

import pytest

from hiri_spec import SpecError
from hiri_spec.tasks import detector
from hiri_spec.tasks.heads import HEADS, find_head
from hiri_spec.tasks.task import choose_strides, default_norms, read_task

FIVE = (4, 8, 16, 32, 64)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"head": "maskrcnn"}, r"head: 'maskrcnn' is no head; did you mean 'mask_rcnn'"),
        ({"head": "gfl", "host": "torchvision"}, r"host: 'torchvision' has no gfl here; known: mmdet"),
        ({"head": "gfl", "classes": 0}, r"classes: 0 is too small; use 1 or more"),
        (
            {"head": "upernet", "classes": 1},
            r"classes: one class leaves nothing to tell apart; write the background as a class of its own, with",
        ),
        ({"head": "gfl", "strides": [4, 16]}, r"strides: \[4, 16\] must double from each to the next"),
        (
            {"head": "gfl", "norms": "freezed"},
            r"norms: 'freezed' is not known here; use 'frozen', 'trained' or 'synchronised'",
        ),
        ({"head": "gfl", "nrms": "frozen"}, r"nrms: a task has no field 'nrms'; did you mean 'norms'"),
        ({}, r"head: head is missing"),
    ],
    ids=["head", "host", "classes", "one class", "strides", "norms", "field", "nothing"],
)
def test_mistakes(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_task(values)


def test_one_class_of_objects_is_told_from_the_background() -> None:
    assert read_task({"head": "gfl", "classes": 1}).classes == 1


def test_no_segmenter_of_one_class_is_built() -> None:
    with pytest.raises(SpecError, match=r"classes: one class leaves nothing to tell apart"):
        detector("tiny", "upernet", 1)


def test_unknown_heads_are_told() -> None:
    with pytest.raises(SpecError, match=r"'retina_net' is no head; did you mean 'retinanet'"):
        find_head("retina_net")


@pytest.mark.parametrize(
    ("head", "available", "chosen"),
    [
        ("retinanet", FIVE, (8, 16, 32, 64)),
        ("retinanet", FIVE[:4], (8, 16, 32)),
        ("retinanet", (*FIVE, 128), (8, 16, 32, 64, 128)),
        ("mask_rcnn", FIVE, FIVE),
        ("mask_rcnn", FIVE[:4], FIVE[:4]),
        ("sparse_rcnn", FIVE, FIVE[:4]),
        ("upernet", FIVE, FIVE[:4]),
    ],
)
def test_usual_strides(head: str, available: tuple[int, ...], chosen: tuple[int, ...]) -> None:
    """A stage at the stride of one of the neck's own levels takes its place; others are left out."""
    assert choose_strides(read_task({"head": head}), available, "net") == chosen


@pytest.mark.parametrize("head", HEADS)
def test_strides_that_are_asked_for(head: str) -> None:
    task = read_task({"head": head, "strides": [8, 16, 32, 64]})
    assert choose_strides(task, FIVE, "net") == (8, 16, 32, 64)


@pytest.mark.parametrize(
    ("strides", "available", "message"),
    [
        ([32, 64, 128], FIVE, r"strides: net has no map of stride 128; it has those of 4, 8, 16, 32, 64"),
        ([32], FIVE, r"strides: \[32\] is one map, and a neck joins two or more"),
        (
            None,
            (8, 16, 32),
            r"mask_rcnn reads maps of stride 4, 8, 16, 32, and net has those of 8, 16, 32; name others",
        ),
    ],
    ids=["none such", "one", "too few stages"],
)
def test_strides_that_are_not_there(strides: list[int] | None, available: tuple[int, ...], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        choose_strides(read_task({"head": "mask_rcnn", "strides": strides}), available, "net")


def test_norms_are_frozen_on_weights_alone() -> None:
    assert (default_norms(None), default_norms("runs/a")) == ("trained", "frozen")


@pytest.mark.parametrize(
    ("head", "host", "count"),
    [
        ("mask_rcnn", "torchvision", lambda model: model.roi_heads.fg_bg_sampler.batch_size_per_image),
        ("mask_rcnn", "mmdet", lambda model: model.detector.roi_head.bbox_sampler.num),
        ("cascade_mask_rcnn", "mmdet", lambda model: min(each.num for each in model.detector.roi_head.bbox_sampler)),
        ("sparse_rcnn", "mmdet", lambda model: model.detector.rpn_head.num_proposals),
    ],
)
@pytest.mark.parametrize("regions", [None, 24], ids=["usual", "fewer"])
def test_regions(head: str, host: str, count: Any, regions: int | None) -> None:
    model = detector("tiny", head, 3, host=host, regions=regions)
    assert count(model) == (regions or HEADS[head].regions)
