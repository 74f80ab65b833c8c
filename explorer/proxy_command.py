"""The command line of the proxy."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from hiri_spec.command_line import run_app

from .interrupts import AT_A_STRETCH_S, ended_by_sigterm
from .proxy import running_proxy
from .shared.address import FROM_ENVIRONMENT, VARIABLE
from .shared.sharing import read_sharing

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
INTERRUPTED, TERMINATED = 130, 143
"""Exit statuses after Ctrl-C and SIGTERM, as shells have them."""
PORT = 13_000
"""Optuna's."""
EVERYWHERE = ("0.0.0.0", "::", "[::]")


@app.command(
    epilog="Example: python -m explorer.proxy --storage postgresql://user@host/database --host 10.0.0.5",
    help="Stand between many workers and the database of a shared search, which then has a few connections only. "
    "It asks for no password: let nobody else reach its port.",
)
def command(
    storage: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help=f"postgresql://user@host/database; env: what {VARIABLE} holds."),
    ] = FROM_ENVIRONMENT,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen; by default here only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="0 for any that is free.")] = PORT,
) -> None:
    """Answer until Ctrl-C or SIGTERM."""
    sharing = read_sharing(storage)
    assert sharing is not None  # it is for want of a storage only, and there is a default
    with ended_by_sigterm() as received, running_proxy(sharing, host, port) as bound:
        shown = "HOST" if host in EVERYWHERE else host
        sys.stderr.write(f"{sharing.address} is answered for on {host}:{bound}; Ctrl-C ends it\n")
        sys.stderr.write(f"workers join by python -m explorer.worker --storage grpc://{shown}:{bound}\n")
        sys.stderr.flush()
        try:
            while True:
                time.sleep(AT_A_STRETCH_S)
        except KeyboardInterrupt:
            raise typer.Exit(TERMINATED if received else INTERRUPTED) from None


def main() -> None:
    """Run the command line."""
    run_app(app)
