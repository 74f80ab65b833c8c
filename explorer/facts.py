"""What is known of a network without evaluating it, which is noted of each trial."""

from __future__ import annotations

from typing import Any

from .budget import Candidate
from .names import ARCHITECTURE, NETWORK
from .space import network_hash, sketch


def facts_of(candidate: Candidate) -> dict[str, Any]:
    """Cost, sketch and hash of a candidate, by the names of a trial's user attributes."""
    return {
        "macs": candidate.macs,
        "params": candidate.params,
        ARCHITECTURE: sketch(candidate.spec),
        NETWORK: network_hash(candidate.spec),
    }
