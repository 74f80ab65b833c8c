"""Runs in letters are read as COCO's tools write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from hiri_spec.tasks.data.runs import Flaw, Runs, read_letters, read_runs


@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 400), st.floats(0, 1))
def test_letters_are_the_lengths_of_the_runs(seed: int, height: int, width: int, share: float) -> None:
    mask = np.asfortranarray((np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8))
    encoded: Any = coco_mask.encode(mask)
    lengths = read_letters(encoded["counts"].decode())
    assert lengths is not None
    values = np.repeat(np.arange(len(lengths)) % 2, lengths)
    assert np.array_equal(values.reshape(mask.shape, order="F"), mask)


def test_long_runs() -> None:
    mask = np.zeros((3000, 4000), np.uint8, order="F")
    mask[7:, 3000:] = 1
    encoded: Any = coco_mask.encode(mask)
    lengths = read_letters(encoded["counts"].decode())
    assert lengths is not None
    assert lengths[:3] == [3000 * 3000 + 7, 2993, 7]
    assert sum(lengths) == mask.size


@pytest.mark.parametrize("letters", ["", "P", "0 0", "é", "~", "P" * 12 + "0"], ids=repr)
def test_letters_that_are_none(letters: str) -> None:
    assert read_letters(letters) is None


def test_runs_may_not_be_negative() -> None:
    assert read_letters("5O") == [5, -1]
    flaw = read_runs([2, 2], "5O")
    assert isinstance(flaw, Flaw)
    assert flaw.startswith("runs of counts '5O'")
    assert read_runs([2, 2], [1, 3]) == Runs((2, 2), [1, 3])
