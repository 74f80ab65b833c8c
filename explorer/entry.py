"""How the explorer's programs start: Ctrl-C ends them without a traceback, while their imports are loading too.

Imported first and alone, so that nothing slow comes before it.
"""

from __future__ import annotations

import importlib
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NoReturn

STOPPED = 130


def start(module: str) -> NoReturn:
    """Import a module, run its `main` and leave; Ctrl-C is told in a word and gives the status 130."""
    try:
        from .interrupts import surfaced  # in here, as loading it takes its time too

        with surfaced():
            importlib.import_module(module).main()
        sys.exit(0)
    except KeyboardInterrupt:
        pass
    except SystemExit as end:
        # typer has caught it already, and says nothing; a command that has told more leaves by itself
        if not isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt):
            raise
    sys.stderr.write("stopped\n")
    sys.exit(STOPPED)
