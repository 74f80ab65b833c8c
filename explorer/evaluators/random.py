"""random score: a number from 0 to 1 that knows nothing of networks. The baseline that every other must beat."""

from __future__ import annotations

import hashlib

from hiri_spec import ModelSpec

from ..space import network_hash

BITS = 53
"""As many as a float keeps."""

QUICK = True


class Random:
    """Uniform from 0 to 1, by a hash of the network and the seed; neither name nor description has a say."""

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """The number; another seed deals new ones to all."""
        digest = hashlib.sha256(f"{seed} {network_hash(spec)}".encode()).digest()
        return (int.from_bytes(digest[:8]) >> (64 - BITS)) / 2**BITS
