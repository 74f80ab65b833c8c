"""`hiri-spec tasks evaluate`: average precision, or intersection over union, of a trained network on a data set."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...command_line import JsonOption, console, print_tables
from ...quantities import format_rate
from ..evaluate_options import (
    MaxUnreadableOption,
    SplitOption,
    counted_images,
    known_data,
    read_split,
    tell_unreadable,
)
from ..extras import require
from ..trained_options import DeviceOption, EmaOption, LastOption, WorkersOption
from .trained_options import RunArgument, SizeOption, read_sizes

if TYPE_CHECKING:
    from ...tasks.assessment import DenseAssessment
    from ...tasks.trained import TrainedDense


def evaluate(
    network: RunArgument,
    data: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="With the classes of the training; by default the run's own.")
    ] = None,
    split: SplitOption = "validation",
    ema: EmaOption = False,
    last: LastOption = False,
    size: SizeOption = None,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    max_unreadable: MaxUnreadableOption = 0.01,
    as_json: JsonOption = False,
) -> None:
    """COCO's AP, AP50, AP75, APs, APm, APl of boxes and masks, or mIoU and pixel accuracy, in per cent."""
    part = read_split(split)
    require("detect")
    # torch and timm take seconds to import: after the mistakes that can be told without them
    from ...tasks.assessment import assess_dense, open_known
    from ...tasks.trained import load_dense
    from ...train.job import default_workers

    trained = load_dense(network, ema=ema, last=last)
    images = read_sizes(size, trained.images)
    with known_data(data, trained.data) as source:
        scenes = open_known(trained, source, part)
    for note in scenes.notes:
        sys.stderr.write(f"note: {note}\n")
    with counted_images(len(scenes)) as advance:
        done = assess_dense(
            trained,
            scenes,
            images=images,
            workers=default_workers() if workers is None else workers,
            device=device,
            max_unreadable=max_unreadable,
            advance=advance,
        )
    tell_unreadable(done.unreadable)
    told = {
        "network": trained.name,
        "weights": str(trained.weights),
        "data": source,
        "split": split,
        "size": [images.short_side, images.longest_side],
        "device": done.device,
        "images": done.images,
        "unreadable": len(done.unreadable),
        **done.figures,
        "images_per_s": round(done.images_per_s, 4),
    }
    if as_json:
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        _print(trained, source, split, done)


def _print(trained: TrainedDense, source: str, split: str, done: DenseAssessment) -> None:
    out = console()
    out.print(f"{trained.name}, {trained.weights}", soft_wrap=True, markup=False)
    speed = f"{format_rate(done.images_per_s)} images/s on {done.device}"
    out.print(f"{source}, {split}: {done.images:,} images, {speed}", soft_wrap=True, markup=False)
    out.print()
    print_tables(out, _table(done.figures))


def _table(figures: dict[str, float | None]) -> Any:
    """Figures of masks below those of boxes."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    own = [name for name in figures if not name.startswith("mask_")]
    has_masks = len(own) < len(figures)
    if has_masks:
        table.add_column("of")
    for name in own:
        table.add_column(f"{name} %", justify="right")
    for what, prefix in (("boxes", ""), ("masks", "mask_"))[: 1 + has_masks]:
        cells = ["none" if (value := figures[prefix + name]) is None else f"{value:.2f}" for name in own]
        table.add_row(*([what] if has_masks else []), *cells)
    return table
