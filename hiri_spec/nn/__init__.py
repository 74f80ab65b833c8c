"""The torch side: the only rooms of this package that import torch."""

from .backbone import Backbone
from .compile import build
from .timm_weights import load_timm_weights

__all__ = ["Backbone", "build", "load_timm_weights"]
