"""Scenes by the name of their source: `shapes`, or a folder of COCO's or ADE20K's layout."""

from __future__ import annotations

import os
from typing import Literal

from ...errors import Problem, SpecError, show
from ...train.data.source import read_options
from ..heads import Head
from .scene_set import SceneSet
from .shapes import Shapes, ShapesOptions

Split = Literal["train", "validation"]


def open_scenes(source: str | os.PathLike[str], split: Split, head: Head) -> SceneSet:
    """A split of a data source with what a head learns. Raises SpecError for whatever is wrong with the source."""
    if split not in ("train", "validation"):
        raise SpecError(Problem(f"{show(split)} is no split; use train or validation", "split", code="no_split"))
    text = os.fspath(source)
    name, _, options = text.partition(":") if isinstance(source, str) else (text, "", "")
    if isinstance(source, str) and name == "shapes":
        return Shapes(split, read_options(options, ShapesOptions, text), head)
    raise SpecError(Problem("no such folder", file=text, code="no_data"))
