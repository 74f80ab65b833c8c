"""`hiri-spec tune`: in which layout, and with which products, each run of a network is fastest on this machine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..command_line import JsonOption, SetOption, console, print_tables
from ..errors import Problem, SpecError, suggest
from ..files import load, parse_assignments
from ..network import read_resolution
from ..quantities import format_resolution, parse_resolutions

if TYPE_CHECKING:
    from rich.table import Table

    from ..nn.tuning import Tuning

CHOSEN = "*"


def tune(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="A YAML file, or a built-in name such as hiri_s.")],
    resolution: Annotated[
        str | None, typer.Option("--resolution", "-r", metavar="SIZE", help="Image size; by default the spec's.")
    ] = None,
    batch: Annotated[int, typer.Option(metavar="N", min=1, help="Images at once.")] = 1,
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to run.")] = "cpu",
    threads: Annotated[int | None, typer.Option(metavar="N", min=1, help="Of torch.")] = None,
    set: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Time each run of a fused network in contiguous and channels-last layout, with several kinds of products.

    `hiri_spec.tune(model)` computes each in its fastest way; `hiri-spec bench --modes tuned` times the whole.
    """
    if device not in ("cpu", "cuda"):
        raise SpecError(Problem(f"{device!r} is none of cpu, cuda; {suggest(device, ('cpu', 'cuda'))}", "--device"))
    sizes = [None] if resolution is None else list(parse_resolutions(resolution))
    if len(sizes) != 1:
        raise SpecError(Problem("a network is tuned for one size; give one", "--resolution"))
    model = load(spec, set=parse_assignments(set or []))
    height, width = read_resolution(model, sizes[0])
    from ..nn import build
    from ..nn.cuda import check_cuda
    from ..nn.threads import threads_set_to
    from ..nn.tuning import tune as choose

    if device == "cuda":
        check_cuda()
    with threads_set_to(threads):
        found = choose(build(model).to(device), resolution=(height, width), batch=batch, tell=_tell)
    if as_json:
        told = {"name": model.name, "resolution": [height, width], "batch": batch, "device": device}
        sys.stdout.write(json.dumps(told | {"places": [each.as_dict() for each in found.choices]}, indent=2) + "\n")
        return
    out = console()
    print_tables(out, choices_table(found))
    out.print()
    size = format_resolution((height, width))
    out.print(f"Milliseconds of one block at {size}, batch {batch}, {device}; {CHOSEN} is chosen.", style="dim")


def _tell(place: str) -> None:
    sys.stderr.write(f"timing {place} …\n")


def choices_table(found: Tuning) -> Table:
    """One line a place: how long one of its blocks takes in each way, the chosen one marked."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("place")
    table.add_column("blocks", justify="right")
    ways = list(found.choices[0].times_ms)
    for way in ways:
        table.add_column(way.replace(" ", "\n"), justify="right", no_wrap=True)
    for choice in found.choices:
        times = [f"{choice.times_ms[way]:.2f} {CHOSEN if way == choice.chosen else ' '}" for way in ways]
        table.add_row(choice.place, str(choice.depth), *times)
    return table
