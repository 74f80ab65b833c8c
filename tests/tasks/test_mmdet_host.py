"""Backbones in mmdetection's detectors: a training step, an answer, what stays as it was."""

from __future__ import annotations

import copy
import socket
from dataclasses import replace
from typing import Any

import pytest
import torch
from mmdet_detectors import (
    HEADS,
    MASKS,
    OTHER,
    SIZE,
    Models,
    assemble,
    build_each_once,
    check_gradients,
    images,
    objects,
    step,
)

import hiri_spec
from hiri_spec.errors import SpecError
from hiri_spec.tasks.scenes import Found, PixelClasses


@pytest.fixture(scope="module")
def models() -> Models:
    return build_each_once()


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("counts", [(3, 0), (0, 0)], ids=["one without", "none"])
@pytest.mark.parametrize("head", HEADS)
def test_every_parameter_gets_a_gradient(models: Models, head: str, counts: tuple[int, int]) -> None:
    model = models(head)
    losses = step(model, [SIZE, OTHER], counts)
    assert all(loss.shape == () and loss.isfinite() and "loss" in name for name, loss in losses.items())
    assert 0 < sum(loss.item() for loss in losses.values()) < 200
    check_gradients(model)


@pytest.mark.parametrize("head", HEADS)
def test_an_answer_lies_in_each_image(models: Models, head: str) -> None:
    model = models(head).eval()
    model.detector.test_cfg.get("rcnn", model.detector.test_cfg).score_thr = 0.0
    try:
        with torch.no_grad():
            found = model(images(SIZE, OTHER))
    finally:
        model.detector.test_cfg.get("rcnn", model.detector.test_cfg).score_thr = 0.05
    for answer, (height, width) in zip(found, (SIZE, OTHER), strict=True):
        assert isinstance(answer, Found)
        count = len(answer.boxes)
        assert 0 < count <= 100
        assert answer.boxes.shape == (count, 4)
        assert answer.boxes.min() >= 0
        assert (answer.boxes <= torch.tensor([width, height, width, height])).all()
        assert torch.equal(answer.scores, answer.scores.sort(descending=True)[0])
        assert 0 <= answer.scores.min() <= answer.scores.max() <= 1
        assert set(answer.labels.tolist()) <= {0, 1, 2}
        if head in MASKS:
            assert answer.masks is not None
            assert (answer.masks.shape, answer.masks.dtype) == ((count, height, width), torch.bool)
        else:
            assert answer.masks is None


@pytest.mark.parametrize("head", ["mask_rcnn", "atss"])
def test_nothing_found_is_an_answer(models: Models, head: str) -> None:
    model = models(head).eval()
    settings = model.detector.test_cfg.get("rcnn", model.detector.test_cfg)
    settings.score_thr = 1.0
    try:
        with torch.no_grad():
            (found,) = model(images(SIZE))
    finally:
        settings.score_thr = 0.05
    assert (found.boxes.shape, found.scores.shape, found.labels.shape) == ((0, 4), (0,), (0,))
    assert head != "mask_rcnn" or (found.masks.shape, found.masks.dtype) == ((0, *SIZE), torch.bool)


@pytest.mark.parametrize("head", [*HEADS[:-1], pytest.param(HEADS[-1], marks=pytest.mark.slow)])
def test_the_same_seed_gives_the_same(head: str, models: Models) -> None:
    ours, theirs = models(head), assemble(head)
    for name, value in theirs.state_dict().items():
        if "num_batches_tracked" not in name and "running_" not in name:
            assert torch.equal(value, ours.state_dict()[name]), name
    theirs.load_state_dict(ours.state_dict())
    twin = copy.deepcopy(theirs)
    losses = []
    for model in (theirs, twin):
        torch.manual_seed(3)
        losses.append(step(model.train(), [SIZE], [3]))
    assert losses[0] == losses[1]
    for a, b in zip(theirs.parameters(), twin.parameters(), strict=True):
        assert a is not b
        assert (a.grad is None) == (b.grad is None)
        assert a.grad is None or torch.equal(a.grad, b.grad)


@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    "origin", ["pvt_v2_b0", lambda: hiri_spec.scale_up("pvt_v2_b0", resolution=448)], ids=["PVTv2", "scaled up"]
)
def test_other_backbones(origin: Any, head: str) -> None:
    model = assemble(head, origin if isinstance(origin, str) else origin())
    step(model, [SIZE], [2])
    check_gradients(model)
    with torch.no_grad():
        (found,) = model.eval()(images(SIZE))
    assert len(found.boxes) == len(found.scores) <= 100
    assert len(found.boxes) or head in ("retinanet", "atss", "gfl")  # whose scores begin below their threshold


def test_groups_of_objects_are_left_out(models: Models) -> None:
    model = models("atss")
    targets = {
        "all": objects(SIZE),
        "two": objects(SIZE, 2),
        "a group": replace(objects(SIZE), is_crowd=torch.tensor([False, False, True])),
    }
    losses = {name: model(images(SIZE), [target])["loss_cls"].item() for name, target in targets.items()}
    assert losses["a group"] == losses["two"] != losses["all"]


def test_what_is_no_target_is_told(models: Models) -> None:
    with pytest.raises(SpecError, match="atss learns from Objects; PixelClasses is none"):
        models("atss")(images(SIZE), [PixelClasses(torch.zeros(SIZE, dtype=torch.long))])
    with pytest.raises(SpecError, match="mask_rcnn learns from masks, and an image comes without"):
        models("mask_rcnn")(images(SIZE), [replace(objects(SIZE), masks=None)])


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    model = assemble("atss")
    step(model, [SIZE], [1])
    with torch.no_grad():
        model.eval()(images(SIZE))
    assert capfd.readouterr() == ("", "")


def test_a_detector_learns(models: Models) -> None:
    model = copy.deepcopy(models("atss")).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    sums = []
    for _ in range(8):
        optimizer.zero_grad()
        sums.append(sum(loss.item() for loss in step(model, [SIZE], [3]).values()))
        optimizer.step()
    assert sums[-1] < 0.8 * sums[0]
