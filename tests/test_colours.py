"""Colours of blocks: readable, and told apart by those who don't see all colours."""

from __future__ import annotations

from itertools import combinations

import pytest

from hiri_spec.block import Block
from hiri_spec.colours import COLOURS, LETTERS, SPARE_COLOURS, colour_of, contrast, letters_of, text_on

VISIONS = {
    "all colours": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""What is left of linear red, green and blue with each kind of cone missing (Machado et al. 2009, severity 1)."""
FAR_ENOUGH = 20.0
"""A distance in CIELAB; 2.3 is just seen side by side."""


def as_seen(colour: str, vision: str) -> tuple[float, float, float]:
    """A colour in CIELAB, as it looks to an eye."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    red, green, blue = (
        min(1.0, max(0.0, sum(weight * value for weight, value in zip(row, linear, strict=True))))
        for row in VISIONS[vision]
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def distance(one: str, other: str, vision: str) -> float:
    pairs = zip(as_seen(one, vision), as_seen(other, vision), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(
    ("one", "other"), [pytest.param(*pair, id="-".join(pair)) for pair in combinations(sorted(COLOURS), 2)]
)
def test_blocks_are_told_apart(one: str, other: str, vision: str) -> None:
    assert distance(COLOURS[one], COLOURS[other], vision) >= FAR_ENOUGH


def test_red_and_green_would_be_found_out() -> None:
    assert distance("#c04040", "#5f8f2f", "all colours") > FAR_ENOUGH > distance("#a08030", "#8c8c30", "no green")


@pytest.mark.parametrize("kind", [*COLOURS, *SPARE_COLOURS])
def test_text_on_a_block_is_read(kind: str) -> None:
    colour = COLOURS.get(kind, kind)
    assert contrast(text_on(colour), colour) >= 4.5


@pytest.mark.parametrize("kind", sorted(Block.registry))
def test_each_block_has_a_colour_and_letters_of_its_own(kind: str) -> None:
    assert kind in COLOURS
    assert [other for other in LETTERS if letters_of(other) == letters_of(kind)] == [kind]


def test_an_unknown_block_has_a_stable_colour() -> None:
    assert colour_of("a block of tomorrow") == colour_of("a block of tomorrow") in SPARE_COLOURS
    assert letters_of("mixer") == "MI"


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#ffffff", "#ffffff", 1.0)]
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.005)
