"""Data sets of images with objects or pixel classes, and the loader that gives them out in batches."""

from .loader import SceneLoader, make_scene_loader
from .scene_set import Scene, SceneSet
from .source import open_scene_splits, open_scenes

__all__ = ["Scene", "SceneLoader", "SceneSet", "make_scene_loader", "open_scene_splits", "open_scenes"]
