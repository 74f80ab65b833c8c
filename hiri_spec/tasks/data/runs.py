"""Masks as the lengths of their runs, in numbers or in COCO's letters, checked before COCO's tools get them.

Those read or leave memory that is not theirs where lengths don't add up to the image.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import show

FIRST_LETTER = ord("0")
BITS = 5
"""Of a number in a letter; the next bit says that there is more of it, and the highest of the last is the sign."""
MORE, SIGN = 1 << BITS, 1 << (BITS - 1)
MOST_LETTERS = 8
"""Of a number: 40 bits are more than any image has pixels."""


class Flaw(str):
    """What is wrong with a mask."""

    __slots__ = ()


class Runs(NamedTuple):
    """A mask as the lengths of its runs column by column, empty first; `counts` may be COCO's letters for them."""

    size: tuple[int, int]
    counts: list[int] | str


def read_runs(size: Any, counts: Any) -> Runs | Flaw:
    """What a file says of a mask, or what is wrong with it."""
    if not (isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)):
        return Flaw(f"runs of size {show(size)}; write [height, width] of the image")
    lengths = read_letters(counts) if isinstance(counts, str) else counts
    if not isinstance(lengths, list) or not all(isinstance(length, int) and length >= 0 for length in lengths):
        return Flaw(f"runs of counts {show(counts)}; write their lengths, or COCO's letters for them")
    if sum(lengths) != size[0] * size[1]:
        return Flaw(f"runs of {sum(lengths):,} pixels in all; those of {size[0]} x {size[1]} are {size[0] * size[1]:,}")
    if not any(lengths[1::2]):
        return Flaw("runs without a pixel in them; write those of the mask, or remove the annotation")
    return Runs((size[0], size[1]), counts)


def read_letters(letters: str) -> list[int] | None:
    """The lengths that COCO's letters stand for; None where they are none.

    A number is five bits a letter, the lowest first. From the fourth on they are differences from the last but one.
    """
    codes: NDArray[np.int64] = np.frombuffer(letters.encode(), np.uint8).astype(np.int64) - FIRST_LETTER
    if not len(codes) or codes.min() < 0 or codes.max() >= 2 * MORE or codes[-1] & MORE:
        return None
    ends = np.flatnonzero(codes & MORE == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    places = np.arange(len(codes)) - np.repeat(starts, ends - starts + 1)
    if places.max() >= MOST_LETTERS:
        return None
    numbers = np.add.reduceat((codes & (MORE - 1)) << (BITS * places), starts)
    is_negative = codes[ends] & SIGN != 0
    numbers[is_negative] -= 1 << (BITS * (places[ends[is_negative]] + 1))
    numbers[1::2] = numbers[1::2].cumsum()
    numbers[2::2] = numbers[2::2].cumsum()
    lengths: list[int] = numbers.tolist()
    return lengths
