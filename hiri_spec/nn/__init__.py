"""The torch side: the only rooms of this package that import torch."""

from .backbone import Backbone
from .carry import carry_weights
from .checkpoint import from_pretrained
from .compile import build
from .exporting import export
from .fusion import fuse
from .load import load_weights
from .timm_weights import load_timm_weights
from .transfer import transfer_weights
from .tuning import tune

__all__ = [
    "Backbone",
    "build",
    "carry_weights",
    "export",
    "from_pretrained",
    "fuse",
    "load_timm_weights",
    "load_weights",
    "transfer_weights",
    "tune",
]
