"""`hiri-spec studio`: a local page on which a backbone is seen while its spec is written."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from ..errors import Problem, SpecError
from .extras import require

PAGE = "studio.serving"
"""The page shows searches too, so it stands on the explorer, above this package: it is loaded by name."""
ADDRESS = "127.0.0.1"


def studio(
    opened: Annotated[
        str | None,
        typer.Argument(
            metavar="[SPEC|RUN|FOLDER]", help="A YAML file, a built-in name, a search's folder, or a folder."
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="PORT", help="By default 8448, or the next that is free.")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; others than this machine need a token.")
    ] = ADDRESS,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser; print the address.")] = False,
) -> None:
    """Open the studio: write a spec and see its drawing, cost and errors at once; explore what a search found.

    It listens on this machine alone. Files outside the opened folder (the current one, or that of a file elsewhere)
    are neither read nor written.
    """
    require("studio")
    if port is not None and not 0 <= port <= 65_535:
        raise SpecError(Problem(f"{port} is no port; use 1024 to 65535, or 0 for any that is free", "--port"))
    page = import_module(PAGE)
    page.serve(page.find_opening(opened, Path.cwd()), host=host, port=port, opens_browser=not no_browser)
