"""Sizes that are not known while torch.export looks on, as they may be any."""

from __future__ import annotations

import torch


def is_open(*sizes: int) -> bool:
    """Whether one of the sizes of a map is left open: no branch may ask for it, as the answer would hold for good."""
    return any(isinstance(size, torch.SymInt) for size in sizes)
