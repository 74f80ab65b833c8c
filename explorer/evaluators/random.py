"""random score: a number from 0 to 1 that knows nothing of networks. The baseline that every other must beat."""

from __future__ import annotations

import hashlib
import json

from hiri_spec import ModelSpec
from hiri_spec.files import to_data

BITS = 53
"""As many as a float keeps."""

QUICK = True


class Random:
    """Uniform from 0 to 1, by a hash of the network and the seed; neither name nor description has a say."""

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """The number; another seed deals new ones to all."""
        network = {key: value for key, value in to_data(spec).items() if key not in ("name", "description")}
        digest = hashlib.sha256(json.dumps([seed, network], sort_keys=True).encode()).digest()
        return (int.from_bytes(digest[:8]) >> (64 - BITS)) / 2**BITS
