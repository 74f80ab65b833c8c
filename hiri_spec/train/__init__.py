"""Training: recipes, data, the loop. Importing it loads no torch; the names below are loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .recipe import Recipe
    from .recipe_file import load_recipe
    from .run import TrainResult, train
    from .watcher import Watcher

__all__ = ["Recipe", "TrainResult", "Watcher", "load_recipe", "train"]

_PLACES = {"Recipe": "recipe", "TrainResult": "run", "Watcher": "watcher", "load_recipe": "recipe_file", "train": "run"}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        import importlib

        value = getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
