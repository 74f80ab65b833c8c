"""Answers stay on what they were given for when the image gets another size."""

from __future__ import annotations

import pytest
import torch

from hiri_spec.tasks import rescaling
from hiri_spec.tasks.rescaling import rescale
from hiri_spec.tasks.scenes import Found, PixelClasses


def found(masks: torch.Tensor | None) -> Found:
    return Found(torch.tensor([[2.0, 4.0, 6.0, 12.0]]), torch.tensor([1]), torch.tensor([0.5]), masks)


def test_boxes_scale_each_way_by_itself() -> None:
    scaled = rescale(found(None), (20, 10), (40, 30))
    assert isinstance(scaled, Found)
    assert scaled.boxes.tolist() == [[6, 8, 18, 24]]
    assert scaled.masks is None


@pytest.mark.parametrize("to", [(40, 20), (60, 30), (10, 5), (33, 17)], ids=str)
def test_masks_stay_on_their_boxes(to: tuple[int, int]) -> None:
    mask = torch.zeros(1, 20, 10, dtype=torch.bool)
    mask[0, 4:12, 2:6] = True
    scaled = rescale(found(mask), (20, 10), to)
    assert isinstance(scaled, Found)
    assert scaled.masks is not None
    assert (scaled.masks.dtype, scaled.masks.shape) == (torch.bool, (1, *to))
    rows, columns = scaled.masks[0].nonzero(as_tuple=True)
    left, top, right, bottom = scaled.boxes[0].tolist()
    around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert [float(side) for side in around] == pytest.approx([left, top, right, bottom], abs=0.75)


def test_many_masks_are_resized_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    masks = torch.rand(7, 20, 10, generator=torch.Generator().manual_seed(0)) < 0.5
    many = Found(torch.zeros(7, 4), torch.zeros(7, dtype=torch.long), torch.zeros(7), masks)
    whole = rescale(many, (20, 10), (31, 16))
    monkeypatch.setattr(rescaling, "MOST_PIXELS", 2 * 31 * 16)
    parts = rescale(many, (20, 10), (31, 16))
    assert isinstance(whole, Found)
    assert isinstance(parts, Found)
    assert whole.masks is not None
    assert parts.masks is not None
    assert torch.equal(whole.masks, parts.masks)


def test_nothing_found() -> None:
    nothing = Found(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), torch.zeros(0), torch.zeros(0, 20, 10) > 0)
    scaled = rescale(nothing, (20, 10), (40, 30))
    assert isinstance(scaled, Found)
    assert scaled.masks is not None
    assert scaled.masks.shape == (0, 40, 30)
    assert scaled.boxes.shape == (0, 4)


def test_pixel_classes_take_the_class_at_their_middle() -> None:
    classes = PixelClasses(torch.tensor([[0, 1], [254, 3]]))
    scaled = rescale(classes, (2, 2), (4, 6))
    assert isinstance(scaled, PixelClasses)
    assert scaled.classes.dtype == torch.int64
    assert scaled.classes[::3].tolist() == [[0, 0, 0, 1, 1, 1], [254, 254, 254, 3, 3, 3]]
    small = rescale(scaled, (4, 6), (2, 2))
    assert isinstance(small, PixelClasses)
    assert torch.equal(small.classes, classes.classes)
