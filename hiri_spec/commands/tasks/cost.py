"""`hiri-spec tasks cost`: parameters and multiply-adds of a network under a head, part by part."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ...command_line import JsonOption, SetOption, console, print_tables
from ...cost import CONVENTION
from ...files import parse_assignments
from ...quantities import format_resolution
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

    from ...tasks.cost import DenseCost


def cost(
    network: NetworkArgument,
    head: HeadOption = "mask_rcnn",
    size: Annotated[
        tuple[int, int], typer.Option(metavar="HEIGHT WIDTH", help="Of the image. The paper's setting is 1600 2666.")
    ] = (800, 1333),
    host: HostOption = None,
    strides: StridesOption = None,
    regions: RegionsOption = None,
    classes: Annotated[int, typer.Option(metavar="N", min=1, help="Classes, the background none of them.")] = 80,
    set: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Parameters and MACs of a whole detector or segmenter for one image: backbone, neck and head."""
    task = read_options(head, host, classes, strides, regions)
    # torch and timm take seconds to import: after the mistakes that can be told without them
    from ...nn.named import TIMM_PREFIX, read_named
    from ...tasks.cost import dense_cost

    named = read_named(network, set=parse_assignments(set or []))
    with told_by_flags():
        own = dense_cost(f"{TIMM_PREFIX}{named.origin}" if isinstance(named.origin, str) else named.origin, task, size)
    if as_json:
        told = own.as_dict() | {"gmacs": round(own.macs / 1e9, 3), "convention": CONVENTION}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    out = console()
    out.print(describe(own), soft_wrap=True, markup=False)
    out.print()
    print_tables(out, parts_table(own))
    out.print()
    for line in notes(own, named.note):
        out.print(line, soft_wrap=True, markup=False, style="dim")


def describe(own: DenseCost) -> str:
    """The setting in a line."""
    strides = ", ".join(map(str, own.strides))
    size, padded = format_resolution(own.size), format_resolution(own.padded_size)
    image = size if size == padded else f"{size}, padded to {padded}"
    head = f"{own.task.kind.title} ({own.task.own_host}, {own.task.classes} classes)"
    return f"{own.name} under {head} on maps of stride {strides}, one image of {image}"


def parts_table(own: DenseCost) -> Table:
    """One line a part, and one for all of them."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("part", no_wrap=True)
    for name in ("params M", "GMACs", "%"):
        table.add_column(name, justify="right", no_wrap=True)
    for part in own.parts:
        share = f"{100 * part.macs / max(1, own.macs):.1f}"
        table.add_row(part.name, f"{part.params / 1e6:.2f}", f"{part.macs / 1e9:.3f}", share, end_section=False)
    table.add_section()
    table.add_row("total", f"{own.params / 1e6:.2f}", f"{own.macs / 1e9:.3f}", "100.0")
    return table


def notes(own: DenseCost, named: str | None) -> list[str]:
    """What is in the figures, what isn't, and what was taken as given."""
    lines = [] if named is None else [named]
    if own.left_out:
        left_out, all_strides = ", ".join(map(str, own.left_out)), ",".join(map(str, own.strides + own.left_out))
        are = "stage of stride" if len(own.left_out) == 1 else "stages of stride"
        lines.append(f"The {are} {left_out} feeds nothing and is left out; --strides {all_strides} keeps it.")
    if own.given:
        taken = " and ".join(f"{number:,} {what}" for what, number in own.given.items())
        lines.append(f"Taken as given: {taken} an image.")
    if own.regions:
        interpolation = f"{own.interpolation_macs / 1e9:.3f} GMACs"
        lines.append(f"Reading {own.regions:,} regions off the maps interpolates: {interpolation} more, not counted.")
    if own.training_params:
        lines.append(f"{own.training_params / 1e6:.2f} M more parameters learn along and are not used in inference.")
    lines.append(f"{CONVENTION}; attention products are counted.")
    return lines
