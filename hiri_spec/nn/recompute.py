"""Gradient checkpointing: a block's inside is computed again in the backward pass instead of being kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def run_checkpointed(blocks: nn.Sequential, x: Any) -> Any:
    """Run blocks one after the other and keep no more than each one's input."""
    for block in blocks:
        x = checkpoint(block, x, use_reentrant=False, context_fn=partial(_contexts, block))
    return x


def _contexts(block: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """What surrounds the first run of a block, and the second."""
    return nullcontext(), _with_statistics_left(block)


@contextmanager
def _with_statistics_left(block: nn.Module) -> Iterator[None]:
    """Let running statistics go to copies: the second run sees the same batch, and would count it twice."""
    norms = [module for module in block.modules() if isinstance(module, _BatchNorm)]
    kept = [dict(norm._buffers) for norm in norms]
    for norm in norms:
        norm._buffers.update({name: None if own is None else own.clone() for name, own in norm._buffers.items()})
    try:
        yield
    finally:
        for norm, buffers in zip(norms, kept, strict=True):
            norm._buffers.update(buffers)
