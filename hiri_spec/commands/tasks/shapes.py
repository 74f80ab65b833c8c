"""`hiri-spec tasks shapes`: drawn shapes as files, in COCO's layout and in ADE20K's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..extras import require


def write(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Gets coco/ and ade20k/.")],
    train: Annotated[int, typer.Option(metavar="N", min=1, help="Training images.")] = 400,
    validation: Annotated[int, typer.Option(metavar="N", min=1, help="Validation images.")] = 100,
    size: Annotated[int, typer.Option(metavar="SIDE", min=32, max=4096, help="Of the shorter side, in pixels.")] = 128,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Another one gives other images.")] = 0,
) -> None:
    """Write the images of --data shapes as files, in COCO's layout and in ADE20K's: an example of how data must lie."""
    require("detect")
    from ...tasks.data.shape_files import write_shapes
    from ...tasks.data.shapes import ShapesOptions

    places = write_shapes(folder, ShapesOptions(train=train, validation=validation, size=size, seed=seed))
    sys.stdout.write("".join(f"{place}\n" for place in places))
