"""Backbones in mmdetection's detectors lose no coordinates in reduced precision."""

from __future__ import annotations

import pytest
import torch
from mmdet_detectors import (
    HEADS,
    SIZE,
    Models,
    build_each_once,
    check_gradients,
    images,
    step,
)
from torch import Tensor

from hiri_spec.tasks.hosts.mmdet_amendments import Expectation
from hiri_spec.tasks.hosts.mmdet_import import import_mmdet


@pytest.fixture(scope="module")
def models() -> Models:
    return build_each_once()


@pytest.mark.parametrize("head", HEADS)
def test_under_bfloat16_coordinates_stay_exact(models: Models, head: str) -> None:
    model = models(head)
    with torch.autocast("cpu", torch.bfloat16):
        losses = step(model, [SIZE], [3])
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert 0 < sum(loss.item() for loss in losses.values()) < 200
    check_gradients(model)
    seen: list[torch.dtype] = []
    handles = [
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1].dtype))
        for layer in model.modules()
        if type(layer).__name__ == "RoIAlign"
    ]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        (found,) = model.eval()(images(SIZE))
    for handle in handles:
        handle.remove()
    assert found.boxes.dtype == found.scores.dtype == torch.float32
    assert set(seen) == ({torch.float32} if "rcnn" in head else set())


def test_anchors_under_bfloat16_are_placed_exactly(models: Models) -> None:
    model = models("retinanet").eval()
    placed: list[Tensor] = []
    head = model.detector.bbox_head
    original = head.bbox_coder.decode
    head.bbox_coder.decode = lambda anchors, *rest, **named: placed.append(anchors) or original(anchors, *rest, **named)
    head.test_cfg.score_thr = 0.0
    try:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            model(images((64, 1100)))
    finally:
        del head.bbox_coder.decode
        head.test_cfg.score_thr = 0.05
    centres = (placed[0][:, 0] + placed[0][:, 2]) / 2
    assert centres.max() > 1000
    torch.testing.assert_close(centres, (centres / 8).round() * 8, atol=1e-3, rtol=0)  # of the finest map's cells


def test_the_expectation_is_that_of_gfl() -> None:
    import_mmdet()
    from mmdet.models.dense_heads.gfl_head import Integral

    logits = torch.randn(11, 4 * 17)
    torch.testing.assert_close(Expectation(16)(logits), Integral(16)(logits))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(Expectation(16)(logits), Expectation(16)(logits.double()).float())
        assert not torch.allclose(Integral(16)(logits).float(), Expectation(16)(logits), atol=1e-3)
