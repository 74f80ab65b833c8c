"""What every command of this project shares: consoles, error lines, exit statuses, common options."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

from .errors import SpecError

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


def fail(message: str, status: int = 2) -> NoReturn:
    """Print an error and leave with a status: 2 for a mistake in the call or the spec."""
    sys.stderr.write("".join(f"error: {line}\n" for line in message.splitlines()))
    raise typer.Exit(status)


def run_app(app: Callable[[], None]) -> None:
    """Run a typer app; a SpecError becomes error lines and exit status 2."""
    try:
        app()
    except SpecError as error:
        sys.stderr.write("".join(f"error: {problem}\n" for problem in error.problems))
        sys.exit(2)
