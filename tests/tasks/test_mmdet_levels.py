"""Backbones in mmdetection's detectors: levels follow the maps, and every layer of theirs is counted."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from mmdet_detectors import (
    SIZE,
    Models,
    assemble,
    build_each_once,
    check_gradients,
    step,
)


@pytest.fixture(scope="module")
def models() -> Models:
    return build_each_once()


@pytest.mark.parametrize(
    ("head", "counts"),
    [
        ("retinanet", {}),
        ("atss", {}),
        ("gfl", {}),
        ("mask_rcnn", {"proposals": 1000, "masks": 100}),
        ("cascade_mask_rcnn", {"proposals": 1000, "masks": 100}),
        ("sparse_rcnn", {"proposals": 300}),
    ],
)
def test_costs_need_no_memory(models: Models, head: str, counts: dict[str, int]) -> None:
    model = copy.deepcopy(models(head)).eval().to("meta")
    strides = zip(model.maps.channels, model.maps.strides, strict=True)
    maps = [torch.empty(1, channels, 832 // stride, 1344 // stride, device="meta") for channels, stride in strides]
    parts: list[str] = []
    called: set[str] = set()
    for name, module in model.detector.named_modules():
        if not list(module.children()) and list(module.parameters()):
            module.register_forward_hook(lambda *_, name=name: called.add(name))

    def part(name: str) -> Any:
        parts.append(name)
        return nullcontext()

    with torch.no_grad():
        assert model.run_for_cost(maps, (800, 1333), part) == counts
    assert parts == ["neck", "head"]
    weighted = {
        name for name, each in model.detector.named_modules() if type(each) in (torch.nn.Linear, torch.nn.Conv2d)
    }
    unused = {name for name in weighted - called if "attn.out_proj" not in name}  # attention calls it as a function
    assert unused == set()


def test_costs_are_counted_on_real_maps_too(models: Models) -> None:
    model = models("mask_rcnn").eval()
    for extractor in (model.detector.roi_head.bbox_roi_extractor, model.detector.roi_head.mask_roi_extractor):
        assert extractor.featmap_strides == [4, 8, 16, 32]
    with torch.no_grad():
        maps = model.maps(torch.rand(1, 3, 64, 64))
        assert model.run_for_cost(maps, (64, 64), lambda _: nullcontext()) == {"proposals": 1000, "masks": 100}


@pytest.mark.parametrize(
    ("head", "strides", "levels", "regions", "made"),
    [
        ("retinanet", (8, 16, 32), (8, 16, 32, 64, 128), (), 2),
        ("retinanet", (8, 16, 32, 64), (8, 16, 32, 64, 128), (), 1),
        ("atss", (4, 8, 16, 32, 64), (4, 8, 16, 32, 64), (), 0),
        ("mask_rcnn", (4, 8, 16, 32), (4, 8, 16, 32, 64), (4, 8, 16, 32), 0),
        ("mask_rcnn", (8, 16, 32, 64), (8, 16, 32, 64, 128), (8, 16, 32, 64), 0),
        ("sparse_rcnn", (4, 8, 16, 32, 64), (4, 8, 16, 32, 64), (4, 8, 16, 32, 64), 0),
    ],
    ids=str,
)
def test_levels_follow_the_maps(
    head: str, strides: tuple[int, ...], levels: tuple[int, ...], regions: tuple[int, ...], made: int
) -> None:
    model = assemble(head, strides=strides)
    dense = model.detector.rpn_head if regions else model.detector.bbox_head
    if head != "sparse_rcnn":
        assert [stride[0] for stride in dense.prior_generator.strides] == list(levels)
    if regions:
        extractors = model.detector.roi_head.bbox_roi_extractor
        extractor = extractors[0] if head == "sparse_rcnn" else extractors
        assert (tuple(extractor.featmap_strides), extractor.finest_scale) == (regions, 14 * strides[0])
    assert len(model.detector.neck.fpn_convs) == len(strides) + made
    with torch.no_grad():
        maps = model.detector.neck(model.maps(torch.rand(1, 3, 128, 128)))
    assert [128 // each.shape[-1] for each in maps] == list(levels)
    step(model, [SIZE], [3])
    check_gradients(model)
