"""Figures are those counted by hand, in the images' own sizes; the model is left as it was."""

from __future__ import annotations

import math

import pytest
import torch
from accelerate import Accelerator
from dense_figures import Batches, Known, boxes, run
from torch import Tensor

from hiri_spec.tasks.evaluation import PixelFigures, evaluate_scenes
from hiri_spec.tasks.heads import HEADS
from hiri_spec.tasks.scenes import IGNORED, Answer, Found, Objects, PixelClasses, Target


def test_average_precision_by_hand() -> None:
    """Right, wrong, right: precision is 1 up to recall 0.5, which 51 of 101 points are, and 2/3 beyond."""
    target = Objects((100, 200), boxes([10, 10, 50, 50], [60, 10, 110, 60]), torch.tensor([0, 0]))
    # the model saw the image at half its size
    found = Found(
        boxes([5, 5, 25, 25], [70, 5, 90, 25], [30, 5, 55, 30]), torch.tensor([0, 0, 0]), torch.tensor([0.9, 0.8, 0.7])
    )
    figures = run([found], [target], [(50, 100)], "retinanet")
    expected = 100 * (51 + 50 * 2 / 3) / 101
    for name in ("AP", "AP50", "AP75", "APm"):
        assert figures[name] == pytest.approx(expected, rel=1e-5)
    assert math.isnan(figures["APs"])  # nothing is small
    assert math.isnan(figures["APl"])


def test_a_box_that_overlaps_by_a_known_share() -> None:
    """An IoU of 0.8 is right for the thresholds 0.5, 0.55, …, 0.75, and 0.8 if it reaches it: here it is a bit more."""
    target = Objects((200, 200), boxes([0, 0, 100, 100]), torch.tensor([2]))
    found = Found(boxes([0, 0, 100, 81]), torch.tensor([2]), torch.tensor([0.3]))
    figures = run([found], [target], [(200, 200)], "atss")
    assert figures["AP50"] == figures["AP75"] == pytest.approx(100)
    assert figures["AP"] == figures["APl"] == pytest.approx(70)


def test_groups_are_neither_right_nor_wrong() -> None:
    target = Objects(
        (100, 100),
        boxes([0, 0, 40, 40], [50, 50, 100, 100]),
        torch.tensor([0, 0]),
        is_crowd=torch.tensor([False, True]),
    )
    surest_in_the_group = Found(
        boxes([60, 60, 80, 80], [80, 80, 95, 95], [0, 0, 40, 40]),
        torch.tensor([0, 0, 0]),
        torch.tensor([0.9, 0.8, 0.1]),
    )
    assert run([surest_in_the_group], [target], [(100, 100)], "gfl")["AP"] == pytest.approx(100)


def test_nothing_is_there_and_nothing_is_seen() -> None:
    nothing = Found(boxes(), torch.zeros(0, dtype=torch.long), torch.zeros(0))
    figures = run([nothing], [Objects((9, 9), boxes(), torch.zeros(0, dtype=torch.long))], [(9, 9)], "retinanet")
    assert all(math.isnan(value) for value in figures.values())
    there = Objects((90, 90), boxes([0, 0, 20, 20]), torch.tensor([1]))
    assert run([nothing], [there], [(9, 9)], "retinanet")["AP"] == 0


@pytest.mark.parametrize("head", ["atss", "mask_rcnn"])
def test_something_is_seen_where_nothing_is(head: str) -> None:
    empty = Objects((9, 9), boxes(), torch.zeros(0, dtype=torch.long), torch.zeros(0, 9, 9, dtype=torch.bool))
    seen = Found(boxes([1, 1, 5, 5]), torch.tensor([2]), torch.tensor([0.9]), torch.ones(1, 9, 9, dtype=torch.bool))
    figures = run([seen, seen], [empty, empty], [(9, 9)] * 2, head)
    assert all(math.isnan(value) for value in figures.values())


def test_mean_intersection_over_union_by_hand() -> None:
    """Class 0: 3 of 5 pixels; class 1: 2 of 4; class 2 is only seen, class 3 neither; 5 of 7 pixels are right."""
    there = torch.tensor([[0, 0, 0, 0], [1, 1, 1, IGNORED]])
    seen = torch.tensor([[0, 0, 0, 2], [1, 1, 0, 2]])
    figures = run([PixelClasses(seen)], [PixelClasses(there)], [(2, 4)], "upernet", classes=4)
    assert figures["mIoU"] == pytest.approx(100 * (3 / 5 + 2 / 3) / 2)
    assert figures["accuracy"] == pytest.approx(100 * 5 / 7)


def test_pixels_are_counted_in_the_images_own_size() -> None:
    there = torch.tensor([[0, 0, 0, 1, 1, 1]] * 4)
    figures = run([PixelClasses(torch.tensor([[0, 1]]))], [PixelClasses(there)], [(1, 2)], "upernet")
    assert figures == {"mIoU": 100, "accuracy": 100}


def test_pixels_of_no_class() -> None:
    there = torch.full((2, 2), IGNORED)
    figures = run([PixelClasses(torch.zeros(2, 2).long())], [PixelClasses(there)], [(2, 2)], "upernet")
    assert all(math.isnan(value) for value in figures.values())


def test_what_was_seen_is_shown_in_the_images_own_size() -> None:
    shown: list[tuple[int, torch.Size, torch.Size]] = []

    def observe(images: list[Tensor], answers: list[Answer], targets: list[Target]) -> None:
        for image, answer, target in zip(images, answers, targets, strict=True):
            assert isinstance(answer, PixelClasses)
            assert isinstance(target, PixelClasses)
            shown.append((int(image[0, 0, 0]), answer.classes.shape, target.classes.shape))

    targets: list[Target] = [PixelClasses(torch.zeros(4, 6).long()), PixelClasses(torch.zeros(8, 2).long())]
    run([PixelClasses(torch.zeros(2, 3).long())] * 2, targets, [(2, 3), (2, 3)], "upernet", observe=observe)
    assert shown == [(0, (4, 6), (4, 6)), (1, (8, 2), (8, 2))]


@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
def test_the_mode_of_a_head_stays(mode: bool) -> None:
    model = Known([PixelClasses(torch.zeros(2, 2).long())]).train(mode)
    batches: Batches = [([torch.zeros(3, 2, 2)], [PixelClasses(torch.zeros(2, 2).long())])]
    evaluate_scenes(model, batches, HEADS["upernet"], 2, Accelerator(cpu=True))
    assert model.training is mode


def test_classes_beyond_those_of_the_data_are_wrong_ones() -> None:
    """A head may have more classes than the data: what it takes for one of them was counted as another pair."""
    figures = PixelFigures(10, torch.device("cpu"))
    figures.update([PixelClasses(torch.tensor([[0, 9]]))], [PixelClasses(torch.tensor([[0, 0]]))])
    assert figures.compute() == {"mIoU": 50.0, "accuracy": 50.0}
