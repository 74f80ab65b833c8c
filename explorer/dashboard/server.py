"""The dashboard's process: optuna-dashboard's pages, of which those that would change a study are refused."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend, JournalFileOpenLock

from ..shared.address import FROM_ENVIRONMENT, read_address

READING = ("GET", "HEAD")
OUR_NAMES = ("127.0.0.1", "localhost")
"""As which a browser on this machine, or at the end of a tunnel, knows it; a page elsewhere that has its own name lead
here (DNS rebinding) is not answered."""
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ReadOnlyJournal(BaseJournalBackend):
    """A journal that another process writes."""

    def __init__(self, path: Path) -> None:
        # Optuna's own for reading, which takes no lock; the lock named is never asked for
        self._file = JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path)))

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """As Optuna's."""
        yield from self._file.read_logs(log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Refuse to write."""
        raise PermissionError("the dashboard only reads the study")


def open_storage(place: str) -> BaseStorage:
    """A journal by its path, or a shared storage as `--storage` names it, for as long as the process lasts."""
    if "://" not in place and place != FROM_ENVIRONMENT:
        return JournalStorage(ReadOnlyJournal(Path(place)))
    from ..shared.connection import open_storage as open_shared

    return ExitStack().enter_context(open_shared(read_address(place)))


def reading_only(application: Application) -> Application:
    """Answer what reads, from this machine's names; refuse the rest with a word why."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        host = str(environ.get("HTTP_HOST", "")).rpartition(":")[0] or environ.get("HTTP_HOST", "")
        if environ["REQUEST_METHOD"] in READING and host in OUR_NAMES:
            return application(environ, start)
        start("403 Forbidden", [("Content-Type", "application/json")])
        return [b'{"reason": "this dashboard only reads the study of a search"}']

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the search has the screen."""


def serve(listening: socket.socket, application: Application) -> None:
    """Answer for ever what comes to a socket that is listening."""
    host, port = listening.getsockname()[:2]
    server = _Server((host, port), _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.server_name, server.server_port = host, port
    server.setup_environ()
    server.set_app(application)
    server.serve_forever()


def end_with_parent() -> None:
    """End once standard input is closed, as it is when the search has ended, whatever ended it."""
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Serve the storage that standard input names."""
    place = sys.stdin.buffer.readline().decode().removesuffix("\n")
    threading.Thread(target=end_with_parent, daemon=True).start()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    from optuna_dashboard import wsgi

    serve(socket.socket(fileno=int(sys.argv[1])), reading_only(wsgi(open_storage(place))))


if __name__ == "__main__":
    main()
