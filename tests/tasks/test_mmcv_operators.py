"""Operators that stand in for mmcv's compiled ones, against plain references, through mmcv's own functions."""

import subprocess
import sys
from types import ModuleType

import pytest
import torch
from torch import Tensor

from hiri_spec.errors import SpecError
from hiri_spec.tasks import operators
from hiri_spec.tasks.hosts.mmdet_import import import_mmdet
from hiri_spec.tasks.operators import NAME, Operators, install_operators

import_mmdet()
import mmcv.ops  # noqa: E402


@pytest.fixture(autouse=True)
def random() -> None:
    torch.manual_seed(0)


def draw_boxes(count: int, side: float = 40.0) -> Tensor:
    corners = torch.rand(count, 2) * side
    return torch.cat([corners, corners + 1 + torch.rand(count, 2) * side / 2], dim=1)


def plain_nms(boxes: Tensor, scores: Tensor, threshold: float, offset: int = 0) -> list[int]:
    """One by one; of equal scores the first of the list comes first."""
    kept: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda i: (-float(scores[i]), i)):
        if all(overlap(boxes[index].tolist(), boxes[other].tolist(), offset) <= threshold for other in kept):
            kept.append(index)
    return kept


def overlap(a: list[float], b: list[float], offset: int) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0]) + offset
    height = min(a[3], b[3]) - max(a[1], b[1]) + offset
    shared = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0] + offset) * (box[3] - box[1] + offset) for box in (a, b)]
    return shared / (sum(areas) - shared)


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("count", [0, 1, 2, 83])
def test_nms(count: int, threshold: float, offset: int) -> None:
    boxes, scores = draw_boxes(count), torch.rand(count)
    found, indices = mmcv.ops.nms(boxes, scores, threshold, offset)
    kept = plain_nms(boxes, scores, threshold, offset)
    assert indices.tolist() == kept
    assert torch.equal(found, torch.cat([boxes[kept], scores[kept][:, None]], dim=1))


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_of_equal_scores_the_first_box_is_the_surer(levels: int) -> None:
    boxes, scores = draw_boxes(120), torch.randint(levels, (120,)) / levels
    _, indices = mmcv.ops.nms(boxes, scores, 0.4)
    assert indices.tolist() == plain_nms(boxes, scores, 0.4)


def test_equal_boxes_of_equal_scores_leave_the_first() -> None:
    boxes = torch.tensor([[0.0, 0, 9, 9]]).repeat(6, 1)
    _, indices = mmcv.ops.nms(boxes, torch.full((6,), 0.5), 0.5)
    assert indices.tolist() == [0]


def test_nms_with_a_score_threshold_and_a_limit() -> None:
    boxes, scores = draw_boxes(60, side=200.0), torch.rand(60)
    _, indices = mmcv.ops.nms(boxes, scores, 0.5, score_threshold=0.4, max_num=7)
    sure = [i for i in range(60) if scores[i] > 0.4]
    kept = [sure[i] for i in plain_nms(boxes[sure], scores[sure], 0.5)]
    assert len(kept) > 7
    assert indices.tolist() == kept[:7]


def test_nms_in_half_precision() -> None:
    boxes, scores = draw_boxes(50).bfloat16(), torch.rand(50).bfloat16()
    _, indices = mmcv.ops.nms(boxes, scores, 0.5)
    assert indices.tolist() == plain_nms(boxes.float(), scores.float(), 0.5)


@pytest.mark.parametrize("split", [10_000, 20], ids=["whole", "by class"])
def test_batched_nms_keeps_classes_apart(split: int) -> None:
    boxes, scores, classes = draw_boxes(90), torch.rand(90), torch.randint(3, (90,))
    _, indices = mmcv.ops.batched_nms(boxes, scores, classes, {"type": "nms", "iou_threshold": 0.4, "split_thr": split})
    expected: list[int] = []
    for label in range(3):
        members = torch.nonzero(classes == label)[:, 0]
        expected += members[plain_nms(boxes[members], scores[members], 0.4)].tolist()
    assert indices.tolist() == sorted(expected, key=lambda i: -float(scores[i]))


def test_batched_nms_of_no_boxes() -> None:
    none = torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.long)
    found, indices = mmcv.ops.batched_nms(*none, {"type": "nms", "iou_threshold": 0.4}, class_agnostic=True)
    assert (found.shape, indices.shape) == ((0, 5), (0,))


def plain_roi_align(
    maps: Tensor, rois: Tensor, size: tuple[int, int], scale: float, samples: int, aligned: bool
) -> Tensor:
    """Means of bilinear samples, by explicit indexing; autograd gives its gradients."""
    out = []
    for roi in rois.tolist():
        offset = 0.5 if aligned else 0.0
        left, top, right, bottom = (side * scale - offset for side in roi[1:])
        least = 0.0 if aligned else 1.0
        width, height = max(right - left, least), max(bottom - top, least)
        across = samples or -int(-width // size[1])
        down = samples or -int(-height // size[0])
        bins = [
            sum(
                (
                    sample(
                        maps[int(roi[0])],
                        top + (row + (i + 0.5) / down) * height / size[0],
                        left + (column + (j + 0.5) / across) * width / size[1],
                    )
                    for i in range(down)
                    for j in range(across)
                ),
                start=maps.new_zeros(maps.shape[1]),
            )
            / max(down * across, 1)
            for row in range(size[0])
            for column in range(size[1])
        ]
        out.append(torch.stack(bins, dim=1).reshape(maps.shape[1], *size))
    return torch.stack([*out, maps.sum() * maps.new_zeros(maps.shape[1], *size)])[: len(out)]


def sample(image: Tensor, y: float, x: float) -> Tensor:
    height, width = image.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return image.new_zeros(image.shape[0])
    y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = y - top, x - left
    upper = image[:, top, left] * (1 - across) + image[:, top, right] * across
    lower = image[:, bottom, left] * (1 - across) + image[:, bottom, right] * across
    return upper * (1 - down) + lower * down


ROIS = torch.tensor(
    [
        [0.0, 3.1, 2.2, 17.9, 25.4],
        [1.0, 0.0, 0.0, 36.0, 28.0],
        [1.0, 30.0, 20.0, 60.0, 50.0],  # reaches out of the map
        [0.0, -20.0, -9.0, 5.0, 6.0],
        [0.0, 8.0, 8.0, 8.0, 8.0],  # of no area
        [1.0, 90.0, 90.0, 99.0, 99.0],  # not on the map at all
    ]
)


@pytest.mark.parametrize("aligned", [True, False], ids=["aligned", "not aligned"])
@pytest.mark.parametrize("samples", [0, 2])
@pytest.mark.parametrize(("size", "scale"), [((7, 7), 0.25), ((3, 5), 0.5), ((1, 2), 1.0)], ids=str)
@pytest.mark.parametrize("rois", [ROIS, ROIS[:0], ROIS[1:2]], ids=["six", "none", "one"])
def test_roi_align_and_its_gradients(
    rois: Tensor, size: tuple[int, int], scale: float, samples: int, aligned: bool
) -> None:
    maps = torch.randn(2, 3, 7, 9, dtype=torch.float64).transpose(2, 3).requires_grad_()  # not contiguous
    layer = mmcv.ops.RoIAlign(size, scale, samples, aligned=aligned)
    found, expected = layer(maps, rois.double()), plain_roi_align(maps, rois, size, scale, samples, aligned)
    assert found.shape == (len(rois), 3, *size)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    weights = torch.randn_like(found)
    ours, theirs = (torch.autograd.grad((out * weights).sum(), maps)[0] for out in (found, expected))
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_roi_align_of_half_precision_places_regions_exactly() -> None:
    maps = torch.randn(1, 2, 64, 64).bfloat16().requires_grad_()
    rois = torch.tensor([[0.0, 901.3, 717.7, 999.9, 951.1]])
    found = mmcv.ops.RoIAlign((7, 7), 1 / 16, 0)(maps, rois)
    expected = plain_roi_align(maps.detach().float(), rois, (7, 7), 1 / 16, 0, True)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.01, rtol=0.01)
    (gradient,) = torch.autograd.grad(found.sum(), maps)
    assert gradient.dtype == torch.bfloat16
    assert gradient.float().sum() == pytest.approx(2 * 49, rel=0.01)


def test_roi_align_takes_no_maxima() -> None:
    layer = mmcv.ops.RoIAlign((2, 2), 1.0, 2, pool_mode="max")
    with pytest.raises(SpecError, match=r"roi_align with pool_mode='max' is a compiled one.*build mmcv"):
        layer(torch.zeros(1, 1, 4, 4), ROIS[:1])


def plain_focal_loss(logits: Tensor, target: Tensor, gamma: float, alpha: float, weight: Tensor | None) -> Tensor:
    chance = logits.sigmoid()
    of_class = -alpha * (1 - chance) ** gamma * chance.log()
    of_rest = -(1 - alpha) * chance**gamma * (1 - chance).log()
    losses = torch.where(torch.nn.functional.one_hot(target, logits.shape[1] + 1)[:, :-1].bool(), of_class, of_rest)
    if weight is not None:
        losses = losses * torch.cat([weight, weight.new_ones(1)])[target][:, None]
    return losses


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("is_weighted", [True, False], ids=["weighted", "plain"])
@pytest.mark.parametrize(("count", "classes"), [(37, 5), (1, 1), (0, 3)])
def test_focal_loss_and_its_gradients(count: int, classes: int, is_weighted: bool, reduction: str) -> None:
    if count == 0 and reduction == "mean":
        pytest.skip("the mean of nothing is no number, here as in mmcv")
    logits = (3 * torch.randn(count, classes, dtype=torch.float64)).requires_grad_()
    target = torch.randint(classes + 1, (count,))  # the last is the background
    weight = 0.5 + torch.rand(classes, dtype=torch.float64) if is_weighted else None
    found = mmcv.ops.sigmoid_focal_loss(logits, target, 1.7, 0.3, weight, reduction)
    expected = plain_focal_loss(logits, target, 1.7, 0.3, weight)
    if reduction != "none":
        expected = expected.sum() / (count if reduction == "mean" else 1)
    torch.testing.assert_close(found, expected)
    share = torch.randn_like(found)
    ours, theirs = (torch.autograd.grad((out * share).sum(), logits)[0] for out in (found, expected))
    torch.testing.assert_close(ours, theirs)


def test_focal_loss_of_a_sure_mistake_is_finite() -> None:
    logits = torch.tensor([[-500.0, 500.0]], requires_grad=True)
    found = mmcv.ops.sigmoid_focal_loss(logits, torch.tensor([0]), 2.0, 0.25, None, "none")
    torch.testing.assert_close(found, torch.tensor([[0.25 * 500, 0.75 * 500]]))
    (gradient,) = torch.autograd.grad(found.sum(), logits)
    torch.testing.assert_close(gradient, torch.tensor([[-0.25, 0.75]]))


def test_focal_loss_of_half_precision() -> None:
    logits = torch.randn(9, 4).bfloat16().requires_grad_()
    target = torch.randint(5, (9,))
    found = mmcv.ops.sigmoid_focal_loss(logits, target, 2.0, 0.25, None, "sum")
    expected = plain_focal_loss(logits.detach().float(), target, 2.0, 0.25, None).sum()
    assert (found.dtype, found.item()) == (torch.bfloat16, pytest.approx(expected.item(), rel=0.02))


def test_all_of_mmcv_can_be_imported_and_what_is_not_there_says_so() -> None:
    boxes = torch.zeros(2, 4)
    with pytest.raises(SpecError, match="mmcv's operator bbox_overlaps is a compiled one, and mmcv is installed with"):
        mmcv.ops.bbox_overlaps(boxes, boxes)
    with pytest.raises(AttributeError, match="__path__"):
        _ = Operators().__path__


@pytest.fixture
def fresh_modules(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delitem(sys.modules, NAME)
    return monkeypatch


def test_compiled_operators_are_left_alone(fresh_modules: pytest.MonkeyPatch) -> None:
    fresh_modules.setattr(operators, "find_spec", lambda name: f"where {name} lies")
    install_operators()
    assert NAME not in sys.modules
    compiled = ModuleType(NAME)
    fresh_modules.setitem(sys.modules, NAME, compiled)
    install_operators()
    assert sys.modules[NAME] is compiled


def test_the_import_changes_nothing_for_others() -> None:
    code = """
import logging, multiprocessing, random, sys, warnings
import numpy, torch
from hiri_spec.tasks.hosts import mmdet_import

def state():
    return (
        list(logging.root.handlers), logging.root.level, list(warnings.filters), random.getstate(),
        numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist(), torch.get_num_threads(),
        torch.get_default_dtype(), torch.is_grad_enabled(), torch.backends.cudnn.benchmark,
        torch.are_deterministic_algorithms_enabled(), multiprocessing.get_start_method(allow_none=True), sys.path[:],
        sys.excepthook, torch.multiprocessing.get_sharing_strategy(),
    )

before = state()
mmdet_import.import_mmdet()
assert [a == b for a, b in zip(before, state(), strict=True)] == [True] * len(before)
"""
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
