"""Data sets of COCO's layout: FOLDER/annotations/instances_train2017.json, FOLDER/train2017/, and the same with val.

The year may be left out: instances_train.json and train/.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from ...errors import Problem, SpecError, suggest
from ...train.processes import Once, read_here
from ..heads import Head
from ..scenes import Objects
from .coco_table import read_table
from .scene_set import Scene, SceneSet, read_image

LAYOUTS = {"train": ("train2017", "train"), "validation": ("val2017", "val")}
"""What follows `instances_` in the file's name, and what the folder of images is called."""


def find_annotations(root: Path, split: str) -> tuple[Path, Path] | None:
    """The annotation file of a split and the folder of its images; None where the layout isn't this one.

    Raises SpecError where it is, but the split or its images are missing.
    """
    names = [name for both in LAYOUTS.values() for name in both]
    files = {name: root / "annotations" / f"instances_{name}.json" for name in names}
    for name in LAYOUTS[split]:
        if files[name].is_file():
            images = root / name
            if not images.is_dir():
                message = f"no such folder, though {files[name]} is there; put its images into it"
                raise SpecError(Problem(message, file=str(images), code="no_images"))
            return files[name], images
    if any(file.is_file() for file in files.values()):
        wanted = files[LAYOUTS[split][0]]
        others = [path.name for path in wanted.parent.glob("*.json")]
        message = f"no such file, so there is no {split} split; {suggest(wanted.name, others)}"
        raise SpecError(Problem(message, file=str(wanted), code="no_split"))
    return None


class CocoScenes(SceneSet):
    """The images of an annotation file, in its order, those without objects too; see `read_table` for what is refused.

    Masks are drawn when a scene is asked for. The file is read by `once`, which may be by another process.
    """

    def __init__(
        self, annotations: Path, images: Path, head: Head, *, is_training: bool, once: Once = read_here
    ) -> None:
        self._table = once(lambda: read_table(annotations, has_masks=head.kind == "masks", is_training=is_training))
        self._images = images
        self.class_names = self._table.class_names
        self.notes = self._table.notes
        names = self._table.file_names
        there = {each.name for each in os.scandir(images)}
        missing = [name for name in names if name not in there and not (images / name).is_file()]
        if missing:
            share = "none" if len(missing) == len(names) else f"{len(names) - len(missing):,}"
            message = f"has {share} of the {len(names):,} images of {annotations}, not {missing[0]}; put them there"
            raise SpecError(Problem(message, file=str(images), code="no_images"))

    def __len__(self) -> int:
        return len(self._table.file_names)

    def __getitem__(self, index: int) -> Scene:
        table = self._table
        height, width = table.sizes[index].tolist()
        image = read_image(self._images / table.file_names[index], (height, width))
        own = table.order[table.starts[index] : table.starts[index + 1]]
        masks = None
        if table.outlines is not None:
            drawn = np.zeros((len(own), height, width), bool)
            for number, index_in_file in enumerate(own.tolist()):
                drawn[number] = table.outlines.draw(index_in_file, height, width)
            masks = torch.from_numpy(drawn)
        target = Objects(
            (height, width),
            torch.from_numpy(table.boxes[own]).float(),
            torch.from_numpy(table.labels[own]),
            masks,
            torch.from_numpy(table.is_crowd[own]),
            torch.from_numpy(table.areas[own]).float(),
        )
        return Scene(image, target, int(table.image_ids[index]))

    def describe(self, index: int) -> str:
        return str(self._images / self._table.file_names[index])
