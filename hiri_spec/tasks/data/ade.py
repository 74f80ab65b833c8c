"""Data sets of ADE20K's layout: FOLDER/images/training/, FOLDER/annotations/training/, and the same with validation.

An annotation is a PNG of the image's size and name, of one number a pixel: 0 where nobody says, or the class, counted
from 1. What classes are called stands in FOLDER/objectInfo150.txt (a table with tabs between, and a column Name) or in
FOLDER/classes.txt (a class a line).
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from timm.utils.misc import natural_key
from torchvision.datasets.folder import IMG_EXTENSIONS

from ...errors import Problem, SpecError
from ...train.data.classes import list_some
from ..scenes import IGNORED, PixelClasses
from .scene_set import Scene, SceneSet, read_image

FOLDERS = {"train": "training", "validation": "validation"}
TABLE, LIST = "objectInfo150.txt", "classes.txt"
NUMBER_MODES = ("L", "P")
"""Pillow's names of images of one number of 8 bits a pixel: grey, or with a palette."""


def is_ade(root: Path) -> bool:
    """Whether a folder has this layout, one split of it at least."""
    return any((root / "annotations" / name).is_dir() for name in FOLDERS.values())


def read_class_names(root: Path) -> tuple[str, ...]:
    """What classes are called, in their order; raises SpecError where that isn't told, or told twice."""
    table, lines = root / TABLE, root / LIST
    file = table if table.is_file() else lines
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        message = f"has no {TABLE} and no {LIST}; write the names of its classes into {LIST}, one a line"
        raise SpecError(Problem(message, file=str(root), code="no_classes")) from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"can't be read: {getattr(error, 'strerror', None) or error}; write it as UTF-8"
        raise SpecError(Problem(message, file=str(file), code="unreadable")) from None
    if file == table:
        rows = csv.DictReader(text.splitlines(), delimiter="\t")
        if "Name" not in (rows.fieldnames or ()):
            message = f"has no column Name in its first line, with tabs between columns; write one, or use {LIST}"
            raise SpecError(Problem(message, file=str(file), code="no_classes"))
        names = [(row["Name"] or "").strip() for row in rows]
    else:
        names = [line.strip() for line in text.splitlines() if line.strip()]
    empty = [number for number, name in enumerate(names, 1) if not name]
    if not names or empty:
        what = f"class {empty[0]} has no name" if empty else "has no classes in it"
        raise SpecError(Problem(f"{what}; write one for each", file=str(file), code="no_classes"))
    if len(names) > IGNORED:
        message = f"has {len(names):,} classes, and annotations of 8 bits have room for {IGNORED}; leave some out"
        raise SpecError(Problem(message, file=str(file), code="too_many_classes"))
    return tuple(names)


class AdeScenes(SceneSet):
    """The images of a split in the order of their names; raises SpecError for folders that don't belong together."""

    def __init__(self, root: Path, split: str) -> None:
        self.class_names = read_class_names(root)
        images, annotations = (root / kind / FOLDERS[split] for kind in ("images", "annotations"))
        for folder in (images, annotations):
            if not folder.is_dir():
                message = f"no such folder, so there is no {split} split; put its {folder.parent.name} there"
                raise SpecError(Problem(message, file=str(folder), code="no_split"))
        self._images = sorted(
            (path for path in images.iterdir() if path.suffix.lower() in IMG_EXTENSIONS and path.name[0] != "."),
            key=lambda path: (natural_key(path.name), path.name),
        )
        if not self._images:
            message = f"has no images ({', '.join(IMG_EXTENSIONS)}) in it; put some there"
            raise SpecError(Problem(message, file=str(images), code="no_images"))
        self._annotations = [annotations / f"{path.stem}.png" for path in self._images]
        there = {path.name for path in annotations.iterdir()}
        lacking = [path.name for path in self._annotations if path.name not in there]
        if lacking:
            message = f"has no annotations of some images: {list_some(lacking)}; add them, or remove the images"
            raise SpecError(Problem(message, file=str(annotations), code="no_annotation"))
        try:  # what is wrong with one is mostly wrong with all; of others it is told as of images that can't be read
            self._read_classes(0)
        except (OSError, ValueError) as error:
            raise SpecError(Problem(str(error), file=str(self._annotations[0]), code="annotation")) from None

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Scene:
        classes = self._read_classes(index)
        height, width = classes.shape
        image = read_image(self._images[index], (height, width))
        return Scene(image, PixelClasses(classes), index)

    def _read_classes(self, index: int) -> torch.Tensor:
        """Class indices (H, W), IGNORED where nobody says; raises one of UNREADABLE."""
        file = self._annotations[index]
        with Image.open(file) as annotation:
            if annotation.mode not in NUMBER_MODES:
                message = (
                    f"the annotation {file.name} is of mode {annotation.mode}, with colours or more than 8 bits; "
                    "save one number a pixel, of 8 bits: 0 for no class, or the class, counted from 1"
                )
                raise ValueError(message)
            numbers = np.array(annotation)
        greatest = int(numbers.max())
        if greatest > len(self.class_names):
            row, column = np.argwhere(numbers == greatest)[0].tolist()
            message = (
                f"the annotation {file.name} has a {greatest} in row {row}, column {column}, and there are "
                f"{len(self.class_names)} classes; name them all, or write 0 for no class"
            )
            raise ValueError(message)
        # 0 - 1 is 255, which is IGNORED
        return torch.from_numpy((numbers - np.uint8(1)).astype(np.int64))

    def describe(self, index: int) -> str:
        return str(self._images[index])
