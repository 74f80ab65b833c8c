"""Pictures of answers show what was found, where it was found, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from hiri_spec.tasks.drawing import OPACITY, colour_of, draw_answer
from hiri_spec.tasks.scenes import IGNORED, Found, PixelClasses

NAMES = ("cat", "dog", "bird")
GREY = torch.full((3, 120, 160), 128, dtype=torch.uint8)


def found(has_masks: bool = False) -> Found:
    boxes = torch.tensor([[20.0, 40, 60, 80], [90.0, 50, 150, 110]])
    masks = torch.zeros(2, 120, 160, dtype=torch.bool)
    for mask, (left, top, right, bottom) in zip(masks, boxes.int().tolist(), strict=True):
        mask[top + 10 : bottom - 10, left + 10 : right - 10] = True
    return Found(boxes, torch.tensor([2, 0]), torch.tensor([0.9, 0.4]), masks if has_masks else None)


def pixels(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(picture)


def test_boxes_are_drawn_around_what_they_hold() -> None:
    picture = pixels(draw_answer(GREY, found(), NAMES, threshold=0.3))
    assert picture.shape == (120, 160, 3)
    for row, column in ((40, 40), (79, 40), (60, 20), (60, 59)):
        assert tuple(picture[row, column]) == colour_of(2)
    for row, column in ((80, 40), (60, 60), (60, 19), (60, 40)):
        assert tuple(picture[row, column]) == (128, 128, 128)
    assert tuple(picture[80, 149]) == colour_of(0)
    assert (picture[28:40, 20:50] != 128).any()  # the name is above


@pytest.mark.parametrize(("threshold", "boxes"), [(0.95, 0), (0.5, 1), (0.4, 2)], ids=str)
def test_what_is_less_sure_is_not_drawn(threshold: float, boxes: int) -> None:
    picture = pixels(draw_answer(GREY, found(True), NAMES, threshold=threshold))
    drawn = [(picture[row, column] != 128).any() for row, column in ((60, 20), (60, 40), (80, 90), (80, 110))]
    assert drawn == [boxes > 0, boxes > 0, boxes > 1, boxes > 1]


def test_masks_let_the_image_through() -> None:
    picture = pixels(draw_answer(GREY, found(True), NAMES, threshold=0.3))
    mixed = np.array(colour_of(2)) * OPACITY + 128 * (1 - OPACITY)
    assert np.abs(picture[60, 40] - mixed).max() <= 1
    assert tuple(picture[45, 55]) == (128, 128, 128)  # in the box, and not in the mask


@pytest.mark.parametrize("surest", [0, 1], ids=["first", "last"])
def test_where_masks_overlap_the_surest_is_on_top(surest: int) -> None:
    masks = torch.zeros(2, 120, 160, dtype=torch.bool)
    masks[0, 50:100, 50:100] = masks[1, 70:110, 70:140] = True
    boxes = torch.tensor([[50.0, 50, 100, 100], [70.0, 70, 140, 110]])
    scores = torch.full((2,), 0.4).index_fill(0, torch.tensor(surest), 0.9)
    picture = pixels(draw_answer(GREY, Found(boxes, torch.tensor([0, 2]), scores, masks), NAMES, threshold=0.3))
    below, above = (np.array(colour_of((0, 2)[index])) for index in (1 - surest, surest))
    alone, both = above * OPACITY + 128 * (1 - OPACITY), above * OPACITY + (below + 128) / 2 * (1 - OPACITY)
    assert np.abs(picture[85, 85] - both).max() <= 2
    assert np.abs(picture[(60, 103)[surest], (60, 120)[surest]] - alone).max() <= 1


def test_names_stay_in_the_picture() -> None:
    corner = Found(torch.tensor([[150.0, 0, 160, 9]]), torch.tensor([1]), torch.tensor([1.0]))
    picture = pixels(draw_answer(GREY, corner, ("", "a long name of a class"), threshold=0))
    shown = (picture == np.array(colour_of(1))).all(-1)
    assert shown[:14, :150].sum() > 100


def test_nothing_found_is_the_image() -> None:
    image = torch.randint(256, (3, 30, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    nothing = Found(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), torch.zeros(0), torch.zeros(0, 30, 40) > 0)
    picture = draw_answer(image, nothing, NAMES, threshold=0.5)
    assert np.array_equal(pixels(picture), image.permute(1, 2, 0).numpy())


def test_pixel_classes_and_their_legend() -> None:
    classes = torch.full((120, 160), 1)
    classes[:, 100:] = 2
    classes[:20] = IGNORED
    image = torch.zeros(3, 120, 160, dtype=torch.uint8)
    image[0] = 200
    picture = pixels(draw_answer(image, PixelClasses(classes), NAMES, threshold=0))
    assert picture.shape[0] > 120
    assert tuple(picture[10, 10]) == (200, 0, 0)
    assert len({tuple(picture[row, column]) for row in (25, 60, 119) for column in (0, 50, 99)}) == 1
    assert tuple(picture[60, 50]) != tuple(picture[60, 120])
    legend = picture[120:]
    patches = [
        np.abs(legend - np.array(colour_of(label)) * OPACITY - 128 * (1 - OPACITY)).max(-1) <= 1 for label in (0, 1, 2)
    ]
    assert [bool(patch.sum() > 50) for patch in patches] == [False, True, True]
    first, second = (np.nonzero(patch)[1].min() for patch in patches[1:])
    assert first < second  # the largest comes first


@pytest.mark.parametrize(("width", "is_wider"), [(20, True), (400, False)], ids=["narrow", "wide"])
def test_no_name_of_a_legend_is_cut(width: int, is_wider: bool) -> None:
    """Its last letter is as black as it is on a wide picture, and white is left of the edge."""
    image = torch.full((3, 40, width), 128, dtype=torch.uint8)
    names = ("sky", "a crosswalk with lines")
    picture = pixels(draw_answer(image, PixelClasses(torch.ones(40, width).long()), names, threshold=0))
    assert (picture.shape[1] > width) is is_wider
    written = np.nonzero((picture[40:] < 100).all(-1).any(0))[0]
    assert 110 < written.max() - written.min() < picture.shape[1] - 5
    assert (picture[:40, width:] == 255).all()


def test_colours_can_be_told_apart() -> None:
    assert len({colour_of(label) for label in range(150)}) == 150
    near = [np.abs(np.subtract(colour_of(a), colour_of(b))).max() for a in range(20) for b in range(a)]
    assert min(near) > 20


def test_a_class_without_a_name() -> None:
    picture = draw_answer(GREY, found(), (), threshold=0)
    assert picture.size == (160, 120)
