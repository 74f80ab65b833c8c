"""Backbones in mmdetection's detectors: a training step, an answer, what is counted, what stays as it was."""

import copy
import socket
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

import hiri_spec
from hiri_spec.errors import SpecError
from hiri_spec.tasks.assembly import detector
from hiri_spec.tasks.hosts.mmdet_amendments import Expectation
from hiri_spec.tasks.hosts.mmdet_import import import_mmdet
from hiri_spec.tasks.model import DenseModel
from hiri_spec.tasks.scenes import Found, Objects, PixelClasses

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


@pytest.fixture(scope="module")
def models() -> Models:
    """Each head on the tiny spec, built once, given afresh: in training, without gradients."""
    built: dict[str, DenseModel] = {}

    def give(head: str) -> Any:
        if head not in built:
            built[head] = assemble(head)
        model = built[head].train()
        model.zero_grad(set_to_none=True)
        torch.manual_seed(1)
        return model

    return give


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)


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
