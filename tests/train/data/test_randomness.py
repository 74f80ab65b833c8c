"""Seeded by key, and as if nothing had been drawn."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from hiri_spec.train.data.randomness import seeded

Drawn = tuple[float, float, float]


def draw() -> Drawn:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def drawn_in(*key: int) -> Drawn:
    with seeded(*key):
        return draw()


def test_the_same_key_gives_the_same_numbers() -> None:
    first = drawn_in(1, 2, 3)
    draw()
    assert drawn_in(1, 2, 3) == first
    others = [drawn_in(1, 2, 4), drawn_in(1, 3, 2), drawn_in(1, 2), drawn_in(2**40, 2)]
    assert len({number for drawn in [first, *others] for number in drawn}) == 15


def test_what_is_drawn_later_is_as_if_nothing_had_been() -> None:
    with seeded(7):
        undisturbed = [draw() for _ in range(3)]
    with seeded(7):
        disturbed = []
        for _ in range(3):
            drawn_in(5)
            disturbed.append(draw())
    assert disturbed == undisturbed


def test_an_error_leaves_everything_as_it_was() -> None:
    before = random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state()

    def fail() -> None:
        with seeded(5):
            draw()
            raise OSError("no such image")

    with pytest.raises(OSError, match="no such image"):
        fail()
    assert random.getstate() == before[0]
    np.testing.assert_equal(np.random.get_state(legacy=False), before[1])
    assert torch.equal(torch.get_rng_state(), before[2])
