"""`python -m explorer.reproduce TABLE`: the tables on screen, and with --out as pages with pictures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from hiri_spec import SpecError
from hiri_spec.command_line import JsonOption, console, fail, run_app
from hiri_spec.errors import Problem, suggest
from hiri_spec.saving import make_folder

from .counted import Table, count_backbones, count_rows, list_points
from .drawing import draw_figure1, draw_figure6
from .rendering import as_rich, write_page
from .reported import Reported, read_reported

TABLES = ("table7", "table8", "table9", "stages", "large", "figure1", "figure6")
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

    Status 1 if a reported cost is missed at its printed rounding without a declared reason, or otherwise than declared.
    """
    known = (*TABLES, "norms", "all")
    if table not in known:
        raise SpecError(Problem(f"unknown table {table!r}; {suggest(table, known)}", "TABLE"))
    if table == "norms" and not latency:
        raise SpecError(Problem("norms is a matter of time; add --latency", "TABLE"))
    chosen = TABLES if table == "all" else (table,)
    reported = read_reported()
    if out is not None:
        make_folder(out)
    tables = [_count(name, reported, out) for name in chosen if name in TABLES]
    tables += [_measure(name, reported, out) for name in TIMED if latency and table in ("all", name)]
    failures = [failure for each in tables for failure in each.failures]
    if as_json:
        rows = [
            {"table": each.name, **dict(zip(each.columns, row, strict=True))} for each in tables for row in each.rows
        ]
        sys.stdout.write(json.dumps({"failures": failures, "rows": rows}, indent=2, ensure_ascii=False) + "\n")
    else:
        screen = console()
        for each in tables:
            screen.print(as_rich(each))
            for note in each.notes:
                screen.print(note, soft_wrap=True, style="dim")
            screen.print()
    if failures:
        fail("\n".join(failures), 1)


def _count(name: str, reported: Reported, out: Path | None) -> Table:
    pictures: list[str] = []
    if name == "table9":
        table = count_backbones(reported.table9)
    elif name == "figure6":
        table = list_points(reported.figure6)
    else:
        table = count_rows(name, getattr(reported, name))
    if out is not None:
        if name == "figure1":
            pictures = draw_figure1(reported.figure1, out)
        elif name == "figure6":
            pictures = draw_figure6(reported.figure6, out)
        write_page(table, out, pictures)
    return table


def _measure(name: str, reported: Reported, out: Path | None) -> Table:
    from .measured import time_figure1, time_norms

    sys.stderr.write(f"measuring {name} …\n")
    table = time_norms(reported.norms) if name == "norms" else time_figure1(reported.figure1)
    if out is not None:
        write_page(table, out)
    return table


def main() -> None:
    """Run the command line."""
    run_app(app)
