"""Drawn images: the same whenever, all that differs but the class is by chance, and fine texture is lost when small."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hiri_spec.train.data import open_dataset
from hiri_spec.train.data.drawing import SHAPES, SIDE, TEXTURES, clouds, crossing_waves, grain
from hiri_spec.train.data.finegrain import FACTORS, _Kept


def pixels(source: str, index: int, side: int = SIDE, split: str = "train") -> NDArray[np.uint8]:
    image, _ = open_dataset(source, split, resolution=(side, side))[index]  # type: ignore[arg-type]
    return np.asarray(image)


def test_classes_take_turns() -> None:
    images = open_dataset("finegrain", "validation", resolution=(32, 32))
    assert len(images) == 960
    assert len(images.class_names) == len(set(images.class_names)) == 16
    assert images.class_names[:5] == (
        "disc of lines",
        "disc of checks",
        "disc of honeycomb",
        "disc of rosettes",
        "cross of lines",
    )
    assert [images[index][1] for index in range(18)] == [*range(16), 0, 1]


@pytest.mark.parametrize("classes", FACTORS)
def test_numbers_of_classes(classes: int) -> None:
    images = open_dataset(f"finegrain:classes={classes},train={classes}", "train", resolution=(32, 32))
    assert len(images) == len(set(images.class_names)) == classes
    shapes, textures = FACTORS[classes]
    assert (shapes * textures, shapes >= textures >= 2) == (classes, True)


def test_an_image_is_the_same_whenever_it_is_drawn() -> None:
    assert np.array_equal(pixels("finegrain", 5), pixels("finegrain:train=6", 5))
    others = [("finegrain", 21, "train"), ("finegrain", 5, "validation"), ("finegrain:seed=1", 5, "train")]
    drawn = [pixels(source, index, split=split) for source, index, split in others]
    assert all(not np.array_equal(pixels("finegrain", 5), other) for other in drawn)
    means = [pixels("finegrain", index, 64).mean() for index in range(4)]
    assert means == pytest.approx([133.03, 102.37, 150.73, 108.51], abs=0.02)


@pytest.mark.parametrize("resolution", [(32, 32), (64, 96), (96, 64), (224, 224), (448, 448), (512, 512)], ids=str)
@pytest.mark.parametrize(("in_channels", "mode"), [(1, "L"), (3, "RGB")])
def test_any_size_can_be_asked_for(resolution: tuple[int, int], in_channels: int, mode: str) -> None:
    image, _ = open_dataset("finegrain", "train", resolution=resolution, in_channels=in_channels)[0]
    assert (image.mode, image.size) == (mode, resolution[::-1])


@pytest.mark.parametrize("side", [64, 112, 224])
def test_small_images_are_means_over_areas_of_the_large_one(side: int) -> None:
    factor = SIDE // side
    means = pixels("finegrain", 9).reshape(side, factor, side, factor, 3).mean(axis=(1, 3))
    assert np.abs(means - pixels("finegrain", 9, side)).max() <= 2  # each is rounded, before and after


def wave_planes(texture: str) -> list[NDArray[np.floating[Any]]]:
    return [crossing_waves(TEXTURES[texture], np.random.default_rng(number), SIDE, SIDE) for number in range(10)]


@pytest.mark.parametrize("texture", TEXTURES)
def test_textures_share_brightness_contrast_and_periods(texture: str) -> None:
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE))
    is_fine = (frequency > 1 / 5) & (frequency < 1 / 3)
    for plane in wave_planes(texture):
        assert abs(plane.mean()) < 0.005
        assert plane.std() == pytest.approx(1, abs=0.01)
        power = np.abs(np.fft.fft2(plane)) ** 2
        assert power[is_fine].sum() > 0.97 * power.sum()


@pytest.mark.parametrize("texture", TEXTURES)
def test_textures_are_lost_at_low_resolution(texture: str) -> None:
    def contrast(side: int) -> float:
        factor = SIDE // side
        planes = [plane.reshape(side, factor, side, factor).mean(axis=(1, 3)) for plane in wave_planes(texture)]
        return float(np.mean([plane.std() for plane in planes]))

    assert contrast(64) < contrast(112) < 0.15
    assert contrast(224) > 0.5


@pytest.mark.parametrize("noise", [grain, clouds], ids=["grain", "clouds"])
def test_noise_says_nothing(noise: object) -> None:
    plane = noise()  # type: ignore[operator]
    assert plane.shape == (1008, 1008)
    assert np.array_equal(plane[:448, :448], plane[560:, 560:])
    assert abs(plane[:560, :560].mean()) < 0.01
    assert plane[:560, :560].std() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_lie_in_the_picture(shape: str) -> None:
    side = np.linspace(-1.5, 1.5, 301)
    inside = SHAPES[shape](side[None, :], side[:, None]) > 0
    assert 0.08 < inside.mean() < 0.4
    rows, columns = np.nonzero(inside)
    assert np.hypot(side[rows], side[columns]).max() < 1.27  # times the largest size it just fits, by and large


def test_drawn_images_are_kept_while_there_is_room() -> None:
    images = open_dataset("finegrain:train=4", "train", resolution=(40, 40))
    first, target = images[3]
    before = np.array(first)
    first.paste((0, 0, 0), (0, 0, 40, 40))  # whoever is given an image may change it
    again, target_again = images[3]
    assert target == target_again
    assert np.array_equal(np.asarray(again), before)


def test_no_more_images_are_kept_than_there_is_room_for() -> None:
    kept = _Kept(most_bytes=2 * 3 * 10 * 10)
    for name in "abc":
        kept.keep((name,), Image.new("RGB", (10, 10)))
    assert [kept.get((name,)) is not None for name in "abc"] == [True, True, False]
