"""The one place where mmdetection is imported: with operators that are not compiled, and without what it says."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from ..operators import install_operators

OWN_AFFAIRS = (ImportWarning, DeprecationWarning, PendingDeprecationWarning, FutureWarning, SyntaxWarning)
"""Warnings that are for those who write a library, not for those who use one."""


def import_mmdet() -> ModuleType:
    """mmdet with its models, structures and registry loaded; Python's random numbers stay where they were."""
    state = random.getstate()
    with no_warnings():
        install_operators()
        import mmdet.models
        import mmdet.registry
        import mmdet.structures.mask
    random.setstate(state)  # a library that it loads draws some
    module: ModuleType = mmdet
    return module


@contextmanager
def no_warnings() -> Iterator[None]:
    """Without mmdetection's warnings about its own code, some of which have a user's category."""
    with warnings.catch_warnings():
        for category in OWN_AFFAIRS:
            warnings.simplefilter("ignore", category)
        for beginning in ("DeprecationWarning: ", "To copy construct from a tensor"):
            warnings.filterwarnings("ignore", beginning, UserWarning)
        yield


@contextmanager
def no_chatter() -> Iterator[None]:
    """Without what mmengine prints on stdout: a line on how each parameter was initialised."""
    from mmengine.logging import MMLogger

    logger = MMLogger.get_current_instance()
    was_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was_disabled
