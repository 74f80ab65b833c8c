"""The command line of a worker."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from hiri_spec.command_line import JsonOption, console, run_app

from .results import Failed, Member
from .shared.address import FROM_ENVIRONMENT, VARIABLE
from .worker import Work, WorkWatcher, work

if TYPE_CHECKING:
    from .shared.shared_study import SharedStudy
    from .shared.studies import Found

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PLAIN_SECONDS = 10.0
INTERRUPTED, TERMINATED = 130, 143
"""Exit statuses after Ctrl-C and SIGTERM, as shells have them."""


class Lines(WorkWatcher):
    """Tells a worker's progress in lines on stderr, one now and then: its output is a log."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._last = 0.0
        self._wanted = 0

    def joined(self, found: Found, finished: int) -> None:
        self._wanted = found.wanted
        settings = ", ".join(f"{key} {value}" for key, value in found.plan.settings.items() if value is not None)
        self._say(f"joined {found.name}: {finished} of {found.wanted} trials are finished; {settings}")

    def noted(self, message: str) -> None:
        self._say(message)

    def failed(self, failed: Failed) -> None:
        self._say(f"trial {failed.number} failed: {failed.reason} ({failed.file})")

    def progressed(self, study: SharedStudy, member: Member, best: Member, finished: int) -> None:
        if time.monotonic() - self._last > PLAIN_SECONDS or not self._last:
            self._last = time.monotonic()
            told = f"best {best.score:.2f}: {best.sketch}, {best.macs / 1e9:.3f} GMACs (trial {best.number})"
            self._say(f"{finished}/{study.wanted}, {study.evaluated} of them from here; {told}")

    def _say(self, message: str) -> None:
        self._console.print(message, soft_wrap=True, markup=False)


@app.command(
    epilog="Example: python -m explorer.worker --storage postgresql://user@host/database",
    help="Join a search that is shared, and evaluate networks of it until it is complete. What to do stands in the "
    "study; Ctrl-C and SIGTERM give back what is under way.",
)
def command(
    storage: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help=f"postgresql://user@host/database, grpc://host:port; env: what {VARIABLE} holds."
        ),
    ] = FROM_ENVIRONMENT,
    study: Annotated[str | None, typer.Option(metavar="NAME", help="Which study, if there are several.")] = None,
    workers: Annotated[int, typer.Option(metavar="N", help="Networks to evaluate at the same time.")] = 1,
    trial_timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="Give an evaluation up after this, e.g. 90s or 10m.")
    ] = None,
    trials_here: Annotated[
        int | None, typer.Option(metavar="N", help="End after so many evaluations; by default when all are done.")
    ] = None,
    out: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Where networks that fail go; by default in runs/.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Work, and print what was done."""
    done = work(
        storage,
        study=study,
        workers=workers,
        trial_timeout=trial_timeout,
        trials_here=trials_here,
        out=out,
        watcher=Lines(),
    )
    _tell(done, as_json)
    if done.was_interrupted:
        raise typer.Exit(TERMINATED if done.was_terminated else INTERRUPTED)


def _tell(done: Work, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(asdict(done), indent=2) + "\n")
        return
    ending = f"; {done.ending}" if done.ending else ""
    if done.was_interrupted:
        ending = "; stopped, what was under way is given back"
    sys.stdout.write(
        f"{done.study}: {done.evaluated} trials from here, {done.finished} of {done.wanted} in all{ending}\n"
    )


def main() -> None:
    """Run the command line."""
    run_app(app)
