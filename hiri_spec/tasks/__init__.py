"""Detection and segmentation: backbones under the heads of other libraries.

Importing it loads no torch; the names below are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assembly import detector
    from .cost import dense_cost
    from .recipe_file import load_dense_recipe
    from .run import train_dense
    from .task import Task
    from .trained import load_dense

__all__ = ["Task", "dense_cost", "detector", "load_dense", "load_dense_recipe", "train_dense"]

_PLACES = {
    "Task": "task",
    "dense_cost": "cost",
    "detector": "assembly",
    "load_dense": "trained",
    "load_dense_recipe": "recipe_file",
    "train_dense": "run",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        import importlib

        value = getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
