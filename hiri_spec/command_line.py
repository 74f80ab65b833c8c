"""What every command of this project shares: consoles, error lines, exit statuses, common options."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from .errors import Problem, SpecError
from .files import find

WIDEST = 10_000
"""Columns that no table needs."""

SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value first, e.g. stages.3.depth=12. Repeatable."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def console(*, stderr: bool = False) -> Any:
    """A rich console; output that goes to a file or a pipe is not cut at 80 columns."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 200
    return Console(file=stream, width=width, highlight=False, emoji=False)


def width_of(out: Any, table: Any) -> int:
    """How many columns a rich table needs for all of its lines to stay whole."""
    from rich.measure import Measurement

    return Measurement.get(out, out.options.update(width=WIDEST, max_width=WIDEST), table).maximum


def print_tables(out: Any, *tables: Any) -> None:
    """Print rich tables one below the other. Columns that are text fold where space is short; figures are never cut."""
    from rich.measure import Measurement

    for place, table in enumerate(tables):
        if place:
            out.print()
        needed = Measurement.get(out, out.options.update(width=WIDEST, max_width=WIDEST), table).minimum
        before, out.width = out.width, max(out.width, needed)
        out.print(table, crop=False)
        out.width = before


def check_not_itself(spec: str, out: Path | None) -> None:
    """Raise SpecError where a command would write over the very spec that it reads."""
    if out is not None and out.exists() and out.samefile(find(spec)):
        raise SpecError(Problem(f"{out} is the spec itself, and would be lost; name another file", "--out"))


def fail(message: str, status: int = 2) -> NoReturn:
    """Print an error and leave with a status: 2 for a mistake in the call or the spec."""
    sys.stderr.write("".join(f"error: {line}\n" for line in message.splitlines()))
    raise typer.Exit(status)


def run_app(app: Callable[[], None]) -> None:
    """Run a typer app: a SpecError becomes error lines and exit status 2, as does output that can't be written."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 (closed by whoever called: nobody wants to read it)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except SpecError as error:
        sys.stderr.write("".join(f"error: {problem}\n" for problem in error.problems))
        sys.exit(2)
    except OSError as error:
        # what is left in the buffer would be tried, and complained about, once more at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            sys.exit(1)  # the reader has left, as `| head` does
        sys.stderr.write(f"error: the output cannot be written: {error.strerror or error}\n")
        sys.exit(2)
