"""Scenes by the name of their source: `shapes`, or a folder of COCO's or ADE20K's layout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from ...errors import Problem, SpecError, show, suggest
from ...train.data.classes import list_some
from ...train.data.image_files import list_siblings
from ...train.data.source import read_options
from ...train.processes import Once, read_here
from ..heads import Head
from .ade import AdeScenes, is_ade
from .coco import CocoScenes, find_annotations
from .scene_set import SceneSet
from .shapes import Shapes, ShapesOptions

Split = Literal["train", "validation"]
SPLITS: tuple[Split, Split] = ("train", "validation")
BUILTIN = "shapes"
COCO_LAYOUT = "annotations/instances_train2017.json and train2017/ (COCO's; the year may be left out)"
ADE_LAYOUT = "images/training/ and annotations/training/ (ADE20K's)"


def open_scenes(source: str | os.PathLike[str], split: Split, head: Head, *, once: Once = read_here) -> SceneSet:
    """A split of a data source, with what a head learns: `shapes`, `shapes:train=400,size=128`, or a folder.

    Files of annotations are read by `once`. Raises SpecError for whatever is wrong with the source, and for one that
    has nothing for the head.
    """
    if split not in SPLITS:
        raise SpecError(Problem(f"{show(split)} is no split; use train or validation", "split", code="no_split"))
    text = os.fspath(source)
    name, _, options = text.partition(":") if isinstance(source, str) else (text, "", "")
    if isinstance(source, str) and name == BUILTIN:
        return Shapes(split, read_options(options, ShapesOptions, text), head)
    root = Path(text).expanduser()
    try:
        if not text or not root.is_dir():
            raise _missing(text, name, root)
        return _open_folder(root, split, head, once)
    except OSError as error:
        message = f"can't be read: {error.strerror or error}; give yourself the right to read it"
        raise SpecError(Problem(message, file=str(error.filename or root), code="unreadable")) from None


def open_scene_splits(
    source: str | os.PathLike[str], head: Head, *, once: Once = read_here
) -> tuple[SceneSet, SceneSet]:
    """Training and validation scenes of a source; raises SpecError where they are not of the same classes."""
    training, validation = (open_scenes(source, split, head, once=once) for split in SPLITS)
    if training.class_names != validation.class_names:
        own = [name for name in training.class_names if name not in validation.class_names]
        others = [name for name in validation.class_names if name not in training.class_names]
        parts = [
            f"{list_some(names)} only for {what}"
            for names, what in ((own, "training"), (others, "validation"))
            if names
        ]
        message = f"has other classes for training than for validation: {'; '.join(parts) or 'in another order'}"
        raise SpecError(Problem(f"{message}; list the same in both", file=os.fspath(source), code="other_classes"))
    return training, validation


def _open_folder(root: Path, split: Split, head: Head, once: Once) -> SceneSet:
    coco = find_annotations(root, split)
    if head.is_segmentation:
        if is_ade(root):
            return AdeScenes(root, split)
        if coco is not None:
            message = (
                f"has objects (COCO's layout), and {head.name} learns a class for each pixel; "
                f"use a head for objects, such as mask_rcnn, or data of {ADE_LAYOUT}"
            )
            raise SpecError(Problem(message, file=str(root), code="other_kind"))
        raise _nothing(root, ADE_LAYOUT)
    if coco is not None:
        return CocoScenes(*coco, head, is_training=split == "train", once=once)
    if is_ade(root):
        message = (
            f"has a class for each pixel (ADE20K's layout), and {head.name} learns objects; "
            f"use upernet, or data of {COCO_LAYOUT}"
        )
        raise SpecError(Problem(message, file=str(root), code="other_kind"))
    raise _nothing(root, COCO_LAYOUT)


def _missing(text: str, name: str, root: Path) -> SpecError:
    if not text:
        message = f"names nothing; name a folder, or use {BUILTIN}"
    elif root.is_file():
        message = "is a file; name the folder that the data set lies in"
    else:
        siblings = [name for name in list_siblings(root) if root.with_name(name).is_dir()]
        message = f"no such folder, and no built-in data of that name; {suggest(Path(name).name, [*siblings, BUILTIN])}"
    return SpecError(Problem(message, file=text, code="no_data"))


def _nothing(root: Path, layout: str) -> SpecError:
    """What to say of a folder without a layout: what was looked for, and what there is."""
    found = sorted(
        str(path.relative_to(root)) for path in (*root.iterdir(), *root.glob("annotations/*")) if path.name[0] != "."
    )
    there = f"there are {list_some(found)}" if found else "it is empty"
    return SpecError(Problem(f"has no {layout} in it; {there}", file=str(root), code="no_layout"))
