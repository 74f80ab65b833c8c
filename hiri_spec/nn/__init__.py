"""The torch side: the only rooms of this package that import torch."""

from .backbone import Backbone
from .compile import build

__all__ = ["Backbone", "build"]
