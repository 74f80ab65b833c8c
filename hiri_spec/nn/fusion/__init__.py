"""A trained model → an equal one with fewer operations, for inference."""

from .model import fuse

__all__ = ["fuse"]
