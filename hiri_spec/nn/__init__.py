"""The torch side: the only rooms of this package that import torch."""

from .backbone import Backbone
from .carry import carry_weights
from .compile import build
from .timm_weights import load_timm_weights

__all__ = ["Backbone", "build", "carry_weights", "load_timm_weights"]
