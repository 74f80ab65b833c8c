"""`hiri-spec predict`: the likeliest classes of images, by a trained network."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..command_line import JsonOption, console, print_tables
from ..errors import Problem, SpecError
from .extras import require
from .progress import ImageProgress
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
    from ..train.prediction import Prediction
    from ..train.trained import Trained


def predict(
    network: NetworkArgument,
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE|FOLDER…", help="Image files, and folders to go through with all inside."),
    ],
    top: Annotated[int, typer.Option(metavar="N", min=1, help="Classes to name.")] = 5,
    ema: EmaOption = False,
    last: LastOption = False,
    classes: ClassesOption = None,
    resolution: ResolutionOption = None,
    batch_size: BatchOption = 64,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """What images show: the likeliest classes with their probabilities.

    Images are made ready as validation images of the training are. Status 1 if some can't be read, 2 if none can.
    """
    require("train")
    trained = load_network(network, ema=ema, last=last, resolution=resolution, classes=classes)
    from ..train.data.image_files import list_images
    from ..train.job import default_workers
    from ..train.prediction import predict as run

    paths = list_images(images)
    if workers is None:  # processes of their own are worth their start only for more than a batch
        workers = default_workers() if len(paths) > batch_size else 0
    done: list[Prediction] = []
    is_stopped = False
    try:
        with ImageProgress(len(paths)) as progress:
            # one by one: what is there when it is stopped is told
            done.extend(
                run(
                    trained,
                    paths,
                    top=top,
                    batch_size=batch_size,
                    workers=workers,
                    device=device,
                    advance=progress.advance,
                )
            )
    except KeyboardInterrupt:
        is_stopped = True
    _tell(trained, paths, done, as_json=as_json)
    if is_stopped:
        sys.stderr.write(f"stopped after {len(done):,} of {len(paths):,} images\n")
        raise typer.Exit(130)
    if any(each.problem for each in done):
        raise typer.Exit(1)


def _tell(trained: Trained, paths: Sequence[Path], done: Sequence[Prediction], *, as_json: bool) -> None:
    """Print what is known; raises SpecError if that is nothing but images that can't be read."""
    unread = [each for each in done if each.problem is not None]
    if len(unread) == len(paths):
        raise SpecError(Problem(f"can't be read: {each.problem}", file=str(each.image)) for each in unread)
    if as_json:
        sys.stdout.write(json.dumps(_as_dict(trained, done), indent=2) + "\n")
    elif len(unread) < len(done):
        print_tables(console(), _table([each for each in done if each.problem is None]))
    for each in unread:
        sys.stderr.write(f"error: {each.image}: can't be read: {each.problem}\n")
    if unread:
        sys.stderr.write(f"{len(unread):,} of {len(done):,} images can't be read\n")


def _as_dict(trained: Trained, done: Sequence[Prediction]) -> dict[str, Any]:
    images: list[dict[str, Any]] = []
    for each in done:
        if each.problem is not None:
            images.append({"image": str(each.image), "problem": each.problem})
            continue
        classes = [{"class": g.name, "index": g.index, "probability": round(g.probability, 6)} for g in each.guesses]
        images.append({"image": str(each.image), "classes": classes})
    return {
        "network": trained.name,
        "weights": str(trained.weights),
        "resolution": list(trained.resolution),
        "images": images,
        "unreadable": sum(each.problem is not None for each in done),
    }


def _table(done: Sequence[Prediction]) -> Any:
    """One line an image: the likeliest class, and the others behind it."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("image", overflow="fold")
    table.add_column("class", overflow="fold")
    table.add_column("%", justify="right", no_wrap=True)
    if has_others := len(done[0].guesses) > 1:
        table.add_column("then", overflow="fold")
    for each in done:
        first, *others = each.guesses
        cells = [escape(str(each.image)), escape(first.name), f"{100 * first.probability:.1f}"]
        if has_others:
            cells.append(escape(", ".join(f"{guess.name} {100 * guess.probability:.1f} %" for guess in others)))
        table.add_row(*cells)
    return table
