"""Random numbers that depend on what they are for alone, never on what was drawn before."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.random.mtrand import get_bit_generator, set_bit_generator

DISTORTION, MIXING = 0, 1
"""What random numbers are for, as part of a key."""

_spares: list[np.random.MT19937] = []
"""NumPy's generators not in use: one is quickly seeded, but making one takes as long as distorting a small image."""


@contextmanager
def reseeding() -> Iterator[Callable[..., None]]:
    """Lend Python's, NumPy's and torch's CPU generators, with a function that seeds them by some numbers.

    timm's and torchvision's transforms draw from all three, and from no generator that could be handed to them. After
    it, all are as they were before.
    """
    python = random.getstate()
    # NumPy's generator is replaced for the time being, as reading and writing its state is slow
    numpy, spare = get_bit_generator(), _spares.pop() if _spares else np.random.MT19937()
    with torch.random.fork_rng(devices=[]):
        try:
            set_bit_generator(spare)
            yield _seed
        finally:
            random.setstate(python)
            set_bit_generator(numpy)
            _spares.append(spare)


def _seed(*key: int) -> None:
    random.seed(repr(key))  # of text by SHA-512, so that keys that differ little give unlike numbers
    np.random.seed(random.getrandbits(32))
    torch.default_generator.manual_seed(random.getrandbits(63))  # torch.manual_seed would seed CUDA's too


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """Seed all of them once, by some numbers."""
    with reseeding() as seed:
        seed(*key)
        yield
