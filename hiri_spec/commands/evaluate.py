"""`hiri-spec evaluate`: how good a trained network is on a data set, and what it mistakes for what."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..command_line import JsonOption, console, print_tables
from ..quantities import format_rate, format_resolution
from .evaluate_options import (
    MaxUnreadableOption,
    SplitOption,
    counted_images,
    known_data,
    read_split,
    tell_unreadable,
)
from .extras import require
from .trained_options import (
    BatchOption,
    ClassesOption,
    DeviceOption,
    EmaOption,
    LastOption,
    NetworkArgument,
    ResolutionOption,
    WorkersOption,
    load_network,
)

if TYPE_CHECKING:
    from ..train.assessment import Assessment, ClassScore
    from ..train.trained import Trained


def evaluate(
    network: NetworkArgument,
    data: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="digits, a folder with a folder a class, …; by default the run's own."),
    ] = None,
    split: SplitOption = "validation",
    ema: EmaOption = False,
    last: LastOption = False,
    classes: ClassesOption = None,
    worst: Annotated[int, typer.Option(metavar="N", min=0, help="Classes to show, the worst ones.")] = 10,
    resolution: ResolutionOption = None,
    batch_size: BatchOption = 64,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    max_unreadable: MaxUnreadableOption = 0.01,
    as_json: JsonOption = False,
) -> None:
    """Top-1 and top-5 accuracy, loss and speed of a trained network, and its worst classes.

    Classes of other data are matched by name, or by index where those are numbers, as in ImageNet-V2. It computes in
    float32, whatever the training computed in.
    """
    part = read_split(split)
    require("train")
    trained = load_network(network, ema=ema, last=last, resolution=resolution, classes=classes)
    from ..train.assessment import assess, open_images
    from ..train.job import default_workers

    with known_data(data, trained.data) as source:
        images = open_images(trained, source, part)
    with counted_images(len(images)) as advance:
        done = assess(
            trained,
            images,
            batch_size=batch_size,
            workers=default_workers() if workers is None else workers,
            device=device,
            max_unreadable=max_unreadable,
            advance=advance,
        )
    tell_unreadable(done.unreadable)
    if as_json:
        sys.stdout.write(json.dumps(_as_dict(trained, source, split, done, worst), indent=2) + "\n")
    else:
        _print(trained, source, split, done, worst)


def _as_dict(trained: Trained, source: str, split: str, done: Assessment, worst: int) -> dict[str, Any]:
    scores = done.scores
    return {
        "network": trained.name,
        "weights": str(trained.weights),
        "data": source,
        "split": split,
        "resolution": list(trained.resolution),
        "device": done.device,
        "images": done.images,
        "unreadable": len(done.unreadable),
        "top1": scores.top1,
        "top5": scores.top5,
        "loss": scores.loss if math.isfinite(scores.loss) else None,
        "images_per_s": round(done.images_per_s, 1),
        "worst": [
            {
                "class": each.name,
                "index": each.index,
                "images": each.images,
                "top1": each.top1,
                "mistaken_for": each.mistaken_for,
                "mistaken_images": each.mistaken_images,
            }
            for each in done.classes[:worst]
        ],
    }


def _print(trained: Trained, source: str, split: str, done: Assessment, worst: int) -> None:
    out = console()
    where = f"at {format_resolution(trained.resolution)} pixels on {done.device}"
    out.print(f"{trained.name} of {trained.weights}, {where}", soft_wrap=True, markup=False)
    out.print(f"{source}, {split}: {done.images:,} images", soft_wrap=True, markup=False)
    scores = done.scores
    out.print(
        f"top-1 {scores.top1:.2f} %, top-5 {scores.top5:.2f} %, loss {scores.loss:.4f}; "
        f"{format_rate(done.images_per_s)} images/s, reading them included"
    )
    shown = [each for each in done.classes[:worst] if each.mistaken_for is not None]
    if shown:
        out.print()
        print_tables(out, _worst_table(shown, len(done.classes)))
    elif worst:
        out.print("no image is mistaken for another class")


def _worst_table(classes: Sequence[ClassScore], total: int) -> Any:
    """One line a class: its accuracy, and what it is mistaken for most often."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    title = f"the worst {len(classes)} of {total} classes"
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False
    )
    table.add_column("class", overflow="fold")
    table.add_column("images", justify="right", no_wrap=True)
    table.add_column("top-1 %", justify="right", no_wrap=True)
    table.add_column("mistaken most for", overflow="fold")
    table.add_column("images", justify="right", no_wrap=True)
    table.add_column("%", justify="right", no_wrap=True)
    for each in classes:
        share = 100 * each.mistaken_images / each.images
        mistake = (escape(each.mistaken_for or ""), f"{each.mistaken_images:,}", f"{share:.2f}")
        table.add_row(escape(each.name), f"{each.images:,}", f"{each.top1:.2f}", *mistake)
    return table
