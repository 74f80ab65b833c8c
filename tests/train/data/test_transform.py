"""What is done to an image."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from pictures import picture
from PIL import Image

from hiri_spec.train.augmentation import Augmentation
from hiri_spec.train.data.randomness import seeded
from hiri_spec.train.data.transform import Erasing, make_transform, normalisation

PLAIN = Augmentation(
    crop_scale=(1, 1), crop_ratio=(1, 1), flip=0, rand_augment=None, color_jitter=0, erasing=0, mixup=0, cutmix=0
)


@pytest.mark.parametrize("is_training", [True, False], ids=["training", "validation"])
@pytest.mark.parametrize("in_channels", [1, 3])
@pytest.mark.parametrize("resolution", [(32, 32), (48, 32)], ids=str)
def test_images_come_out_as_bytes_of_the_size_asked_for(
    resolution: tuple[int, int], in_channels: int, is_training: bool
) -> None:
    transform = make_transform(Augmentation(), resolution, in_channels=in_channels, is_training=is_training)
    image = picture(0).convert({1: "L", 3: "RGB"}[in_channels])
    for number in range(30):
        with seeded(number):
            out = transform(image)
        assert out.shape == (in_channels, *resolution)
        assert out.dtype == torch.uint8


def test_nothing_is_done_where_nothing_is_asked_for() -> None:
    image = picture(0).crop((0, 0, 40, 40))
    out = make_transform(PLAIN, (40, 40), is_training=True)(image)
    assert np.array_equal(out.permute(1, 2, 0).numpy(), np.array(image))


def test_validation_images_are_cut_to_their_middle() -> None:
    image = Image.new("RGB", (128, 128))
    image.paste((255, 255, 255), (8, 8, 120, 120))  # the seven eighths of it that are kept
    kept = make_transform(PLAIN, (112, 112), is_training=False)(image)
    whole = make_transform(PLAIN.model_copy(update={"crop_fraction": 1.0}), (128, 128), is_training=False)(image)
    assert kept.min() == 255
    assert whole.min() == 0


@pytest.mark.parametrize("text", ["rand-m0-n20-p1", "rand-m10-n20-p1-inc1", "rand-m20-mmax20-n20-p1-inc1"])
@pytest.mark.parametrize("in_channels", [1, 3])
def test_randaugment_at_its_ends(text: str, in_channels: int) -> None:
    # magnitudes at which timm posterizes to 0 bits, or fewer
    transform = make_transform(Augmentation(rand_augment=text), (32, 32), in_channels=in_channels, is_training=True)
    image = picture(0).convert({1: "L", 3: "RGB"}[in_channels])
    with seeded(0):
        assert len({transform(image).float().mean().item() for _ in range(10)}) > 5


def test_erasing_leaves_what_is_outside_its_box() -> None:
    image = torch.randint(256, (3, 32, 32), dtype=torch.uint8)
    mean, std = normalisation(Augmentation(), 3)
    with seeded(0):
        out = Erasing(1.0, mean, std)(image.clone())
        never = Erasing(0.0, mean, std)(image.clone())
    assert torch.equal(never, image)
    assert out.dtype == torch.uint8
    rows, columns = torch.nonzero((out != image).any(dim=0), as_tuple=True)
    height, width = rows.max() - rows.min() + 1, columns.max() - columns.min() + 1
    assert 0.9 * height * width < len(rows) < 32 * 32 / 3 + 32


def test_how_often_images_are_erased() -> None:
    erasing = Erasing(0.25, *normalisation(Augmentation(), 3))
    image = torch.zeros(3, 16, 16, dtype=torch.uint8)
    with seeded(0):
        share = sum(bool(erasing(image.clone()).any()) for _ in range(1000)) / 1000
    assert 0.2 < share < 0.3


def test_grey_gets_the_average_of_the_colours() -> None:
    mean, std = normalisation(Augmentation(mean=(0.3, 0.4, 0.5), std=(0.1, 0.2, 0.3)), 1)
    assert (mean, std) == (pytest.approx((0.4,)), pytest.approx((0.2,)))


def test_transforms_go_to_other_processes() -> None:
    transform = pickle.loads(pickle.dumps(make_transform(Augmentation(), (32, 32), is_training=True)))
    assert transform(picture(0)).shape == (3, 32, 32)
