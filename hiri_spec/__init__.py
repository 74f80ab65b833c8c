"""Declarative vision backbones: a YAML spec, its cost at once, its PyTorch model on demand.

The names below are the public ones. Those that need torch or are seldom used are loaded on first use, so that importing
this package, loading a spec and costing it stay fast and work without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cost import Cost, cost
from .errors import SpecError
from .files import load, save
from .graph import Graph
from .network import graph
from .schema import ModelSpec
from .transforms import fit_to_budget, scale_up

if TYPE_CHECKING:
    from .nn import (
        build,
        carry_weights,
        export,
        from_pretrained,
        fuse,
        load_timm_weights,
        load_weights,
        transfer_weights,
        tune,
    )
    from .source import to_source
    from .timm_models import register

__version__ = "0.1.0"
__all__ = [
    "Cost",
    "Graph",
    "ModelSpec",
    "SpecError",
    "__version__",
    "build",
    "carry_weights",
    "cost",
    "export",
    "fit_to_budget",
    "from_pretrained",
    "fuse",
    "graph",
    "load",
    "load_timm_weights",
    "load_weights",
    "register",
    "save",
    "scale_up",
    "to_source",
    "transfer_weights",
    "tune",
]

_ON_FIRST_USE = {
    "register": "hiri_spec.timm_models",
    "to_source": "hiri_spec.source",
    **dict.fromkeys(
        (
            "build",
            "carry_weights",
            "export",
            "from_pretrained",
            "fuse",
            "load_timm_weights",
            "load_weights",
            "transfer_weights",
            "tune",
        ),
        "hiri_spec.nn",
    ),
}


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        import importlib

        value = getattr(importlib.import_module(_ON_FIRST_USE[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
