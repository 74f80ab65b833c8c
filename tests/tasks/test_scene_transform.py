"""Scenes made ready: images, boxes, masks and pixel classes stay on each other whatever is done to them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from hiri_spec.tasks.data.scene_set import Scene
from hiri_spec.tasks.data.transform import PADDING, EvaluationTransform, TrainingTransform, as_floats
from hiri_spec.tasks.recipe import Images
from hiri_spec.tasks.scenes import IGNORED, Objects, PixelClasses
from hiri_spec.train.data.randomness import seeded

STILL: dict[str, Any] = {"flip": 0.0}


def scene(*boxes: list[int], size: tuple[int, int] = (60, 90), has_masks: bool = True) -> Scene:
    """White boxes on black, each a class of its own."""
    image = torch.zeros(3, *size, dtype=torch.uint8)
    masks = torch.zeros(len(boxes), *size, dtype=torch.bool)
    for mask, (left, top, right, bottom) in zip(masks, boxes, strict=True):
        mask[top:bottom, left:right] = True
        image[:, mask] = 255
    corners = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return Scene(image, Objects(size, corners, torch.arange(len(boxes)), masks if has_masks else None), 7)


def classes_of(some: Scene) -> Scene:
    """The same with the class of each pixel: 1 in the boxes, 0 around."""
    return Scene(some.image, PixelClasses((some.image[0] > 0).long()), some.image_id)


def ready(some: Scene, seed: int = 0, **images: Any) -> tuple[torch.Tensor, Objects]:
    with seeded(seed):
        image, target = TrainingTransform(Images(**{**STILL, **images}))(some)
    assert isinstance(target, Objects)
    assert image.dtype == torch.uint8
    assert image.is_contiguous()
    assert type(image) is type(target.boxes) is type(target.labels) is torch.Tensor
    assert target.size == tuple(image.shape[1:])
    return image, target


def middle(weights: torch.Tensor) -> tuple[float, float]:
    """x and y of the centre of mass, a pixel's middle being at .5."""
    weights = weights.double()
    rows, columns = (torch.arange(side) + 0.5 for side in weights.shape)
    total = weights.sum()
    return float((weights.sum(0) * columns).sum() / total), float((weights.sum(1) * rows).sum() / total)


@pytest.mark.parametrize(
    ("short", "longest", "size"),
    [(60, 90, (60, 90)), (120, 999, (120, 180)), (120, 150, (100, 150)), (45, 90, (45, 68)), (800, 1333, (800, 1200))],
    ids=str,
)
def test_sides_keep_their_proportion(short: int, longest: int, size: tuple[int, int]) -> None:
    image, target = ready(scene([10, 20, 30, 50]), short_side=short, longest_side=longest)
    assert tuple(image.shape[1:]) == size
    assert target.masks is not None
    assert tuple(target.masks.shape) == (1, *size)
    upright, _ = ready(scene(size=(90, 60)), short_side=short, longest_side=longest)
    assert tuple(upright.shape[1:]) == size[::-1]


def test_the_side_that_is_asked_for_is_what_comes_out() -> None:
    """800 / 427 * 427 is 799.9…, of which others cut off the fraction."""
    for side in range(400, 440):
        image, _ = ready(scene(size=(side, side + 60)), short_side=800, longest_side=1333)
        assert image.shape[1] == 800


@pytest.mark.parametrize("short", [30, 47, 60, 90, 120, 133], ids=str)
@pytest.mark.parametrize("flip", [0.0, 1.0], ids=["", "flipped"])
def test_all_stay_on_each_other(short: int, flip: float) -> None:
    image, target = ready(scene([12, 24, 36, 48]), short_side=short, longest_side=short * 2, flip=flip)
    assert target.masks is not None
    left, top, right, bottom = target.boxes[0].tolist()
    box_middle = (left + right) / 2, (top + bottom) / 2
    assert middle(image[0]) == pytest.approx(box_middle, abs=0.06)
    assert middle(target.masks[0]) == pytest.approx(box_middle, abs=0.51)
    rows, columns = target.masks[0].nonzero(as_tuple=True)
    around = [float(side) for side in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]
    assert around == pytest.approx([left, top, right, bottom], abs=0.51)
    height, width = (side / whole for side, whole in zip(image.shape[1:], (60, 90), strict=True))
    expected = [12, 24, 36, 48] if not flip else [90 - 36, 24, 90 - 12, 48]
    scaled = [side * by for side, by in zip(expected, (width, height) * 2, strict=True)]
    assert target.boxes[0].tolist() == pytest.approx(scaled)


@pytest.mark.parametrize("short", [20, 30, 120, 180], ids=str)
def test_masks_do_not_lean_to_a_side(short: int) -> None:
    """Where sides are whole multiples, middles agree to the digit; taking the first pixel of each would shift them."""
    image, target = ready(scene([12, 24, 36, 48]), short_side=short, longest_side=short * 2)
    assert target.masks is not None
    expected = 24 * short / 60, 36 * short / 60
    assert middle(target.masks[0]) == pytest.approx(expected, abs=1e-6)
    assert middle(image[0]) == pytest.approx(expected, abs=0.02)


def test_pixel_classes_stay_on_the_image() -> None:
    some = classes_of(scene([12, 24, 36, 48], [50, 0, 90, 20]))
    with seeded(0):
        image, target = TrainingTransform(Images(short_side=120, longest_side=240, flip=1.0))(some)
    assert isinstance(target, PixelClasses)
    assert (target.classes.dtype, target.classes.shape) == (torch.int64, image.shape[1:])
    assert ((image[0] > 127) == (target.classes == 1)).float().mean() > 0.99


def test_mirroring_by_chance() -> None:
    some = scene([0, 0, 30, 60])
    lefts = [ready(some, seed, short_side=60, longest_side=90, flip=0.5)[1].boxes[0, 0].item() for seed in range(60)]
    assert set(lefts) == {0.0, 60.0}
    assert 15 < lefts.count(0.0) < 45


def test_the_shorter_side_by_chance() -> None:
    some = scene([0, 0, 30, 60])
    sizes = {
        tuple(ready(some, seed, short_side=60, longest_side=99, short_sides=(30, 40, 80))[0].shape[1:])
        for seed in range(40)
    }
    assert sizes == {(30, 45), (40, 60), (66, 99)}


def test_a_factor_by_chance() -> None:
    some = scene([0, 0, 90, 60])
    heights = [ready(some, n, short_side=60, longest_side=90, scale=(0.5, 2.0))[0].shape[1] for n in range(80)]
    assert min(heights) >= 30
    assert max(heights) <= 120
    assert min(heights) < 40
    assert max(heights) > 110


def test_what_a_crop_leaves_empty_goes() -> None:
    some = scene([0, 0, 10, 10], [0, 0, 90, 60], [80, 50, 90, 60])
    seen: set[tuple[int, ...]] = set()
    for seed in range(40):
        image, target = ready(some, seed, short_side=60, longest_side=90, crop=(32, 40))
        assert tuple(image.shape) == (3, 32, 40)
        assert target.masks is not None
        assert len(target.boxes) == len(target.labels) == len(target.masks)
        assert target.masks.flatten(1).any(1).all()
        assert (target.boxes[:, 2:] - target.boxes[:, :2] >= 1).all()
        assert target.boxes[target.labels == 1].tolist() == [[0, 0, 40, 32]]
        seen.add(tuple(target.labels.tolist()))
    assert {(1,), (0, 1), (1, 2)} <= seen


def test_an_object_of_which_the_mask_is_left_out_goes() -> None:
    """A box can reach into a crop by a corner of it where nothing of the object is."""
    some = scene([0, 0, 90, 60])
    assert isinstance(some.target, Objects)
    assert some.target.masks is not None
    some.target.masks[0, :, 5:] = False
    labels = [ready(some, seed, short_side=60, longest_side=90, crop=(32, 40))[1].labels.tolist() for seed in range(30)]
    assert [] in labels
    assert [0] in labels


def test_what_a_crop_has_too_little_of_is_padded() -> None:
    image, target = ready(scene([0, 0, 90, 60]), short_side=30, longest_side=45, crop=(50, 40), photometric=True)
    assert tuple(image.shape) == (3, 50, 40)
    assert (image[:, 30:] == torch.tensor(PADDING)[:, None, None]).all()
    assert target.boxes.tolist() == [[0, 0, 40, 30]]
    assert target.masks is not None
    assert not target.masks[:, 30:].any()
    with seeded(0):
        image, pixels = TrainingTransform(Images(short_side=30, longest_side=45, crop=50))(classes_of(scene()))
    assert isinstance(pixels, PixelClasses)
    assert (pixels.classes[:30, :45] == 0).all()
    assert (pixels.classes[30:] == IGNORED).all()
    assert (pixels.classes[:, 45:] == IGNORED).all()


def test_pixels_of_no_class_stay_without() -> None:
    some = Scene(torch.zeros(3, 60, 90, dtype=torch.uint8), PixelClasses(torch.full((60, 90), IGNORED)), 0)
    with seeded(0):
        _, target = TrainingTransform(Images(short_side=33, longest_side=60))(some)
    assert isinstance(target, PixelClasses)
    assert (target.classes == IGNORED).all()


def test_colours_change_by_chance_and_places_do_not() -> None:
    some = scene([12, 24, 36, 48])
    some.image[:] = torch.where(some.image > 0, torch.tensor([200, 90, 40])[:, None, None], 30).to(torch.uint8)
    plain, before = ready(some, short_side=60, longest_side=90)
    changed = [ready(some, seed, short_side=60, longest_side=90, photometric=True) for seed in range(12)]
    assert torch.equal(plain, some.image)
    assert len({tuple(image[:, 30, 20].tolist()) for image, _ in changed}) > 6
    assert all(torch.equal(target.boxes, before.boxes) for _, target in changed)


def test_groups_are_not_learnt_from() -> None:
    boxes = torch.tensor([[0.0, 0, 20, 20], [10, 10, 30, 30], [40, 40, 50, 50]])
    crowd = torch.tensor([False, True, False])
    target = Objects((60, 90), boxes, torch.tensor([4, 5, 6]), torch.ones(3, 60, 90) > 0, crowd, torch.ones(3))
    _, learnt = ready(Scene(torch.zeros(3, 60, 90, dtype=torch.uint8), target, 0), short_side=60, longest_side=90)
    assert learnt.labels.tolist() == [4, 6]
    assert learnt.masks is not None
    assert len(learnt.masks) == 2


@pytest.mark.parametrize("has_masks", [True, False], ids=["masks", "boxes"])
def test_an_image_without_objects(has_masks: bool) -> None:
    image, target = ready(scene(has_masks=has_masks), short_side=30, longest_side=90, crop=(40, 40), photometric=True)
    assert tuple(image.shape) == (3, 40, 40)
    assert target.boxes.shape == (0, 4)
    assert target.labels.shape == (0,)
    assert has_masks == (target.masks is not None)
    assert target.masks is None or target.masks.shape == (0, 40, 40)


def test_evaluation_resizes_the_image_alone() -> None:
    some = scene([12, 24, 36, 48])
    transform = EvaluationTransform(
        Images(short_side=45, longest_side=99, short_sides=(10,), scale=(0.1, 0.2), crop=32, flip=1.0, photometric=True)
    )
    image, target = transform(some)
    assert (tuple(image.shape), image.dtype) == ((3, 45, 68), torch.uint8)
    assert target is some.target
    assert torch.equal(image, transform.resize(some.image))
    assert middle(image[0]) == pytest.approx((24 * 68 / 90, 27), abs=0.06)


def test_bytes_become_numbers_from_0_to_1() -> None:
    assert as_floats(torch.tensor([0, 51, 255], dtype=torch.uint8)).tolist() == pytest.approx([0, 0.2, 1])
