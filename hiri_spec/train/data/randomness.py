"""Random numbers that depend on what they are for alone, never on what was drawn before."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.random.mtrand import get_bit_generator, set_bit_generator

_spares: list[np.random.MT19937] = []
"""Generators not in use: one is quickly seeded, but making one takes as long as distorting a small image."""


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """Seed Python's, NumPy's and torch's CPU generators by non-negative numbers; put them back as they were after.

    timm's and torchvision's transforms draw from all three, and from no generator that could be handed to them.
    """
    words = np.random.SeedSequence(key).generate_state(4, np.uint32)
    python = random.getstate()
    # NumPy's generator is replaced for the time being, as reading and writing its state is slow
    numpy, spare = get_bit_generator(), _spares.pop() if _spares else np.random.MT19937()
    with torch.random.fork_rng(devices=[]):
        try:
            random.seed(int(words[0]) << 32 | int(words[1]))
            set_bit_generator(spare)
            np.random.seed(words[2])
            torch.default_generator.manual_seed(int(words[3]))  # torch.manual_seed would seed CUDA's too
            yield
        finally:
            random.setstate(python)
            set_bit_generator(numpy)
            _spares.append(spare)
