"""`python -m explorer.trust`: which training-free scores rank networks of one cost as training does."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hiri_spec.command_line import JsonOption, SetOption, console, run_app
from hiri_spec.errors import SpecError
from hiri_spec.files import parse_assignments

from ..evaluators import UNTRAINED
from .progress import Screen
from .rendering import agreement_table, describe_truth
from .study import measure, read_measurements

if TYPE_CHECKING:
    from .agreement import Agreement

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

EXAMPLE = (
    "Example: python -m explorer.trust --budget 60mmacs --resolution 64 --data digits --epochs 3 --networks 40 "
    "--workers 2"
)


@app.command(
    epilog=f"Scores: {', '.join(UNTRAINED)}\n\n{EXAMPLE}",
    help="Train networks of equal cost, and tell which scores that need no training rank them alike. "
    "The same command goes on where it stopped.",
)
def command(
    budget: Annotated[str | None, typer.Option(metavar="MACS", help="Most MACs, e.g. 60mmacs.")] = None,
    data: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="What is trained on: digits, finegrain, a folder.")
    ] = None,
    space: Annotated[
        str | None, typer.Option(metavar="FILE|NAME", help="A spec with choices, or hiri or small.")
    ] = None,
    resolution: Annotated[str | None, typer.Option(metavar="SIZE", help="Image size, e.g. 64.")] = None,
    window: Annotated[
        float, typer.Option(metavar="SHARE", help="How far below the budget a network may be, as a share of it.")
    ] = 0.05,
    networks: Annotated[
        str, typer.Option(metavar="N|all", help="Networks that are trained, drawn from the space; or all there are.")
    ] = "40",
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Trainings of each network.")] = 1,
    repeated: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Networks that get all seeds, the others get one.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(metavar="N", min=1, help="How long each is trained.")] = None,
    recipe: Annotated[str | None, typer.Option(metavar="FILE|NAME", help="By what it is trained.")] = None,
    scores: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Scores that are looked at; by default all below.")
    ] = None,
    set: SetOption = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Decides which networks are drawn.")] = 0,
    workers: Annotated[int, typer.Option(metavar="N", help="Networks to train at the same time.")] = 1,
    trial_timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="Give a training up after this, e.g. 90s or 10m.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where the table goes; by default in runs/.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Train nothing: tell what a table of measurements says.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what is missing, and print how the scores agree with training."""
    if find_spec("scipy") is None:
        raise SpecError("correlations need scipy, which is not installed; pip install 'hiri-spec[train]'")
    screen = Screen()
    if table is not None:
        measurements = read_measurements(table)
    else:
        try:
            measurements = measure(
                budget,
                data,
                space=space,
                resolution=resolution,
                window=window,
                networks=networks,
                seeds=seeds,
                repeated=repeated,
                epochs=epochs,
                recipe=recipe,
                scores=scores,
                set=parse_assignments(set or []),
                seed=seed,
                workers=workers,
                trial_timeout=trial_timeout,
                out=out,
                screen=screen,
            )
        finally:
            screen.close()
    from .agreement import agreements_of

    found = agreements_of(measurements)
    if as_json:
        sys.stdout.write(json.dumps([agreement.as_data() for agreement in found], indent=2) + "\n")
        return
    _print(found)


def _print(found: list[Agreement]) -> None:
    out = console()
    for number, agreement in enumerate(found):
        out.print(("\n" if number else "") + describe_truth(agreement), soft_wrap=True)
        out.print(agreement_table(agreement))


def main() -> None:
    """Run the command line."""
    run_app(app)
