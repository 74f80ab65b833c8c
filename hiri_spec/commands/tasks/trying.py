"""`hiri-spec tasks try`: does a network work under a head? One training step and one prediction on generated images."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ...command_line import JsonOption, SetOption, console, print_tables
from ...errors import Problem, SpecError, suggest
from ...files import parse_assignments
from ...quantities import SMALLEST_SIDE, format_bytes
from ..trained_options import DeviceOption
from .task_options import (
    HeadOption,
    HostOption,
    NetworkArgument,
    RegionsOption,
    StridesOption,
    read_options,
    told_by_flags,
)

if TYPE_CHECKING:
    from rich.table import Table

    from ...tasks.trying import Trial

LARGEST_SIDE = 4096
DEVICES = ("auto", "cpu", "cuda")
DOING = {
    "forward": "learning from two images",
    "backward": "computing gradients",
    "step": "taking a step",
    "prediction": "predicting",
}
"""What is told of what is done; not that it is being built, which is when most mistakes are found."""


def try_out(
    network: NetworkArgument,
    head: HeadOption = "mask_rcnn",
    size: Annotated[
        int, typer.Option(metavar="SIDE", min=SMALLEST_SIDE, max=LARGEST_SIDE, help="Height of the generated images.")
    ] = 256,
    host: HostOption = None,
    strides: StridesOption = None,
    regions: RegionsOption = None,
    classes: Annotated[int, typer.Option(metavar="N", min=1, help="Classes, the background none of them.")] = 3,
    device: DeviceOption = "auto",
    set: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a network under a head, take one training step and predict, on two generated images.

    The exit status is 1 if a loss is no number.
    """
    if device not in DEVICES:
        message = f"{device!r} is none of {', '.join(DEVICES)}; {suggest(device, DEVICES)}"
        raise SpecError(Problem(message, "--device"))
    task = read_options(head, host, classes, strides, regions)
    # torch and timm take seconds to import: after the mistakes that can be told without them
    from ...nn.named import read_named
    from ...tasks.trying import try_task

    named = read_named(network, set=parse_assignments(set or []))
    name = named.origin if isinstance(named.origin, str) else named.origin.name
    with told_by_flags():
        trial = try_task(named.origin, task, side=size, device=device, tell=_tell)
    if as_json:
        told = {"name": name, "head": task.head, "host": task.own_host, "classes": task.classes}
        sys.stdout.write(json.dumps(told | {"size": size} | trial.as_dict(), indent=2) + "\n")
    else:
        out = console()
        of_strides = f"on maps of stride {', '.join(map(str, trial.strides))}"
        params = f"{trial.params / 1e6:.2f} M parameters"
        out.print(f"{name} under {task.kind.title} ({task.own_host}) {of_strides}: {params}", markup=False)
        out.print()
        print_tables(out, losses_table(trial), seconds_table(trial))
        out.print()
        what = "pixels got a class" if task.kind.is_segmentation else "objects found, by weights that are random"
        whose = "of the device" if trial.device == "cuda" else "of the process"
        note = f"{trial.found:,} {what}. Peak memory {whose}: {format_bytes(trial.peak_bytes)}."
        out.print(note, style="dim", markup=False, soft_wrap=True)
        if named.note is not None:
            out.print(named.note, style="dim", markup=False, soft_wrap=True)
    if not trial.is_sound:
        bad = ", ".join(name for name, value in trial.losses.items() if not abs(value) < float("inf"))
        sys.stderr.write(f"error: no number: {bad}\n")
        raise typer.Exit(1)


def _tell(doing: str) -> None:
    if doing in DOING:
        sys.stderr.write(f"{DOING[doing]} …\n")


def losses_table(trial: Trial) -> Table:
    """The losses by their names."""
    return _two_columns("loss", "value", {name: f"{value:.4f}" for name, value in trial.losses.items()})


def seconds_table(trial: Trial) -> Table:
    """How long each thing took."""
    return _two_columns("what", "seconds", {name: f"{value:.2f}" for name, value in trial.seconds.items()})


def _two_columns(first: str, second: str, rows: dict[str, str]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first, no_wrap=True)
    table.add_column(second, justify="right", no_wrap=True)
    for name, value in rows.items():
        table.add_row(name, value)
    return table
