"""Pictures of textured shapes, drawn by number. See finegrain.py for what they are for.

Planes are (height, width) in pixels, float32, 0 black and 1 white.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.floating[Any]]

SIDE = 448
"""Pixels of the shorter side that a picture is drawn at."""
PERIODS = 3.2, 4.8
"""Pixels of a texture's waves: at 112 pixels a side, means over 4 x 4, next to nothing is left of them."""
TILE = 560
"""Pixels after which noise repeats. Pictures get a piece of it: making it anew would take longer than all the rest."""


def _ball(u: Plane, v: Plane, radius: float) -> Plane:
    # about right near the edge, where it matters, and without a square root
    return (radius * radius - u * u - v * v) / (2 * radius)


def _box(u: Plane, v: Plane, half_width: float, half_height: float) -> Plane:
    return np.minimum(half_width - np.abs(u), half_height - np.abs(v))


SHAPES: dict[str, Callable[[Plane, Plane], Plane]] = {
    "disc": lambda u, v: _ball(u, v, 0.85),
    "cross": lambda u, v: np.maximum(_box(u, v, 1.0, 0.32), _box(u, v, 0.32, 1.0)),
    "ring": lambda u, v: np.minimum(_ball(u, v, 1.0), -_ball(u, v, 0.55)),
    "bars": lambda u, v: _box(np.abs(u) - 0.52, v, 0.28, 0.9),
    "frame": lambda u, v: np.minimum(_box(u, v, 0.85, 0.85), -_box(u, v, 0.45, 0.45)),
    "twins": lambda u, v: _ball(np.abs(u) - 0.55, v, 0.48),
}
"""How deep below the surface (u, v) lies, from the middle, in units of the size; negative outside."""
TEXTURES = {"lines": 1, "checks": 2, "honeycomb": 3, "rosettes": 5, "stars": 4, "grain": 9}
"""How many waves cross, at equal angles: of the same period, brightness and contrast, so that only detail differs."""


def draw(shape: str, texture: str, chance: np.random.Generator, resolution: tuple[int, int]) -> Image.Image:
    """One picture, in colour, at a resolution (height, width) in pixels.

    It is drawn with SIDE pixels on its shorter side; fewer pixels are means over areas of it, more are in between.
    """
    height, width = (round(SIDE * side / min(resolution)) for side in resolution)
    plane = _shaded(shape, TEXTURES[texture], chance, height, width)
    np.clip(plane, 0, 1, out=plane)
    plane *= 255
    image = Image.fromarray(plane.astype(np.uint8))
    if resolution != (height, width):
        shrinks = min(resolution) < SIDE
        image = image.resize(resolution[::-1], Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC)
    image.putpalette(_colours(chance))  # from one colour to another linearly, so that means stay means
    return image.convert("RGB")


def _shaded(shape: str, waves: int, chance: np.random.Generator, height: int, width: int) -> Plane:
    """The picture in grey. Only the shape and the number of waves depend on the class."""
    size = chance.uniform(0.26, 0.36) * SIDE
    middle_y, middle_x = (side / 2 + chance.uniform(-0.12, 0.12) * SIDE for side in (height, width))
    turn = chance.uniform(0, 2 * math.pi)
    y = (np.arange(height, dtype=np.float32)[:, None] - np.float32(middle_y)) / np.float32(size)
    x = (np.arange(width, dtype=np.float32) - np.float32(middle_x)) / np.float32(size)
    cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    inside = SHAPES[shape](x * cos + y * sin, y * cos - x * sin)
    inside *= np.float32(size)  # edges a pixel wide
    inside += np.float32(0.5)
    np.clip(inside, 0, 1, out=inside)
    plane = crossing_waves(waves, chance, height, width)
    plane *= np.float32(chance.uniform(0.09, 0.14))
    plane += np.float32(chance.uniform(0.14, 0.26) * chance.choice((-1, 1)))
    plane *= inside
    plane += np.float32(chance.uniform(0.4, 0.6))
    for noise, least, most in ((clouds(), 0.06, 0.1), (grain(), 0.02, 0.06)):
        strength = np.float32(chance.uniform(least, most))
        plane += np.multiply(piece(noise, chance, height, width), strength, out=inside)  # in memory that is at hand
    return plane


def crossing_waves(waves: int, chance: np.random.Generator, height: int, width: int) -> Plane:
    """Crossing waves, mean 0 and standard deviation 1.

    sin(a y + b x + c) = sin(a y + c) cos(b x) + cos(a y + c) sin(b x): a matrix product instead of a sine a pixel.
    """
    angles = chance.uniform(0, math.pi) + math.pi / waves * np.arange(waves)
    frequency = 2 * math.pi / chance.uniform(*PERIODS)
    rows = np.outer(np.arange(height), frequency * np.sin(angles)) + chance.uniform(0, 2 * math.pi, waves)
    columns = np.outer(np.arange(width), frequency * np.cos(angles))
    left = np.concatenate([np.sin(rows), np.cos(rows)], axis=1) * math.sqrt(2 / waves)
    right = np.concatenate([np.cos(columns), np.sin(columns)], axis=1)
    product: Plane = left.astype(np.float32) @ right.astype(np.float32).T
    return product


def piece(noise: Plane, chance: np.random.Generator, height: int, width: int) -> Plane:
    """A piece of noise from a place by chance; of whoever is no larger than SIDE it is a view, not to be changed."""
    top, left = chance.integers(TILE, size=2)
    if max(height, width) <= SIDE:
        return noise[top : top + height, left : left + width]
    rows, columns = np.arange(top, top + height) % TILE, np.arange(left, left + width) % TILE
    return noise[rows[:, None], columns]


def _repeated(tile: NDArray[np.float64]) -> Plane:
    """A tile with the beginning of the next ones, so that a square picture's piece lies in it whole."""
    return np.pad((tile / tile.std()).astype(np.float32), (0, SIDE), mode="wrap")


@cache
def grain() -> Plane:
    """Noise of standard deviation 1, each pixel for itself."""
    return _repeated(np.random.default_rng(0).standard_normal((TILE, TILE)))


@cache
def clouds() -> Plane:
    """Noise of standard deviation 1 and of periods from 8 to 256 pixels, as much of it in each octave.

    Being coarser than textures it leaves them be, and covers what is left of them at low resolution.
    """
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE))
    is_kept = (frequency > 1 / 256) & (frequency < 1 / 8)
    weight = np.divide(1, frequency, where=is_kept, out=np.zeros_like(frequency))
    return _repeated(np.fft.irfft2(np.fft.rfft2(np.random.default_rng(1).standard_normal((TILE, TILE))) * weight))


def _colours(chance: np.random.Generator) -> bytes:
    """A palette from one colour to another, dark and bright or the other way round."""
    dark, bright = chance.uniform(0, 0.35, 3), chance.uniform(0.65, 1, 3)
    ends = (dark, bright) if chance.random() < 0.5 else (bright, dark)
    return np.rint(255 * np.linspace(*ends, 256)).astype(np.uint8).tobytes()
