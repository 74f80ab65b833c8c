"""`python -m explorer.reproduce TABLE`: the tables on screen, and with --out as pages with pictures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from hiri_spec import SpecError
from hiri_spec.command_line import JsonOption, console, run_app
from hiri_spec.errors import Problem, suggest

from ..figures import make_folder
from .counted import Table, count_backbones, count_rows, list_points, read_reported
from .rendering import as_rich, draw_figure1, draw_figure6, write_page

TABLES = ("table7", "table8", "table9", "stages", "figure1", "figure6")
TIMED = ("figure1", "norms")

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog="Example: python -m explorer.reproduce all --out docs/reproduced")
def reproduce(
    table: Annotated[str, typer.Argument(metavar="TABLE", help=f"One of {', '.join((*TABLES, 'norms'))}, or all.")],
    latency: Annotated[bool, typer.Option("--latency", help="Measure inference time too: figure1 and norms.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Write pages and pictures too.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Count the tables and figures of HIRI-ViT's text anew, beside what it reports.

    Status 1 if a reported cost is missed at its printed rounding without a declared reason.
    """
    known = (*TABLES, "norms", "all")
    if table not in known:
        raise SpecError(Problem(f"unknown table {table!r}; {suggest(table, known)}", "TABLE"))
    if table == "norms" and not latency:
        raise SpecError(Problem("norms is a matter of time; add --latency", "TABLE"))
    chosen = TABLES if table == "all" else (table,)
    tables = [found for name in chosen if name in TABLES for found in _count(name, out)]
    tables += [_measure(name, out) for name in TIMED if latency and (table in ("all", name))]
    if as_json:
        rows = [
            {"table": each.name, **dict(zip(each.columns, row, strict=True))} for each in tables for row in each.rows
        ]
        sys.stdout.write(json.dumps({"missed": sum(each.missed for each in tables), "rows": rows}, indent=2) + "\n")
    else:
        screen = console()
        for each in tables:
            screen.print(as_rich(each))
            for note in each.notes:
                screen.print(note, soft_wrap=True, style="dim")
            screen.print()
    if missed := sum(each.missed for each in tables):
        sys.stderr.write(f"error: {missed} reported figures are missed without a declared reason\n")
        raise typer.Exit(1)


def _count(name: str, out: Path | None) -> list[Table]:
    reported = read_reported()[name]
    if name == "table9":
        table = count_backbones(reported)
    elif name == "figure6":
        table = list_points(reported)
    else:
        table = count_rows(name, reported)
    if out is not None:
        make_folder(out)
        draw = {"figure1": draw_figure1, "figure6": draw_figure6}.get(name)
        write_page(table, out, draw(reported, out) if draw else ())
    return [table]


def _measure(name: str, out: Path | None) -> Table:
    from .measured import time_figure1, time_norms

    sys.stderr.write(f"measuring {name} …\n")
    table = (time_norms if name == "norms" else time_figure1)(read_reported()[name])
    if out is not None:
        make_folder(out)
        write_page(table, out)
    return table


def main() -> None:
    """Run the command line."""
    run_app(app)
