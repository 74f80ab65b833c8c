"""The studio's server: where it listens, who may ask, and the address that is opened."""

from __future__ import annotations

import gc
import logging
import secrets
import socket
import sys
import threading
import webbrowser
from pathlib import Path

from hiri_spec.errors import Problem, SpecError
from hiri_spec.files import find

from .gate import LOCAL_NAMES, Gate
from .opening import FIRST, Opening, find_opening

__all__ = ["find_opening", "serve"]

FIRST_PORT = 8448
PORTS_TRIED = 50
COLLECTOR = (50_000, 20, 1000)
"""Objects until Python's collector looks at them: networks leave many that live long, and each look is a pause."""
RECONNECT_SECONDS = 30.0
"""So long a page may be away, as when a laptop sleeps, and find its text and its undo history again."""
ASSETS = Path(__file__).parent / "page" / "assets"


def serve(opening: Opening, *, host: str, port: int | None, opens_browser: bool) -> None:
    """Serve the page until Ctrl-C; raises SpecError where it can't listen.

    On an address of other machines, the printed one has a token, without which nothing is answered.
    """
    listening = _listen(host, port)
    own_port = listening.getsockname()[1]
    is_local = host in LOCAL_NAMES
    token = None if is_local else secrets.token_urlsafe(24)
    shown = socket.gethostname() if host in ("0.0.0.0", "::") else host
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{own_port}/{opening.query}"
    if token is not None:
        address += f"{'&' if opening.query else '?'}token={token}"
    with listening:
        _run(opening, listening, token, own_port, address, opens_browser)


def _listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens: at a port that was asked for, or at the first one that is free."""
    tried = range(FIRST_PORT, FIRST_PORT + PORTS_TRIED) if port is None else [port]
    for each in tried:
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(host, each, type=socket.SOCK_STREAM)[0]
            listening = socket.socket(family, kind, protocol)
        except OSError as error:
            message = f"{host!r} is no address of this machine: {error.strerror or error}; use 127.0.0.1"
            raise SpecError(Problem(message, "--host")) from None
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen(128)
        except OSError as error:
            listening.close()
            if port is not None:
                message = f"{host}:{each} can't be listened at: {error.strerror or error}; name another, or none"
                raise SpecError(Problem(message, "--port")) from None
        else:
            return listening
    last = FIRST_PORT + PORTS_TRIED - 1
    raise SpecError(Problem(f"none of {FIRST_PORT} to {last} is free on {host}; name another", "--port"))


def _run(
    opening: Opening, listening: socket.socket, token: str | None, port: int, address: str, opens_browser: bool
) -> None:
    import uvicorn
    from fastapi import FastAPI
    from nicegui import app as pages
    from nicegui import ui

    from .page.frame import add_page

    pages.add_static_files("/studio", ASSETS)
    add_page(opening)
    outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    ui.run_with(
        outer,
        title="hiri-spec studio",
        favicon=ASSETS / "icon.svg",
        dark=None,
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=RECONNECT_SECONDS,
    )
    outer.add_middleware(Gate, token=token, port=port)

    def tell() -> None:
        sys.stderr.write(f"the studio is at {address} and shows {opening.folder}; Ctrl-C ends it\n")
        sys.stderr.flush()
        if opens_browser and not webbrowser.open(address):
            sys.stderr.write("no browser could be opened; open that address in one\n")

    _warm_up(opening)
    # what goes wrong in the page is told in the page; here only what nobody foresaw
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    config = uvicorn.Config(outer, log_level="error", access_log=False, ws="wsproto", timeout_graceful_shutdown=2)
    threading.Timer(0.1, tell).start()
    uvicorn.Server(config).run(sockets=[listening])


def _warm_up(opening: Opening) -> None:
    """Do once what the first keystrokes would wait for, and keep the collector from going over it at later ones."""
    from .analysis import analyse
    from .completion import complete

    complete("", 0)
    analyse(find(FIRST).read_text(encoding="utf-8"), file=opening.folder / "first.yaml", roots=[])
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR)
