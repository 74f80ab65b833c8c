"""The dashboard as the search sees it: a process that serves pages on this machine until it is told to end."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import webbrowser
from types import TracebackType
from typing import Self

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from ..interrupts import AT_A_STRETCH_S

HOST = "127.0.0.1"
STDERR = 2
SHOWS_WINDOWS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Variables of which one is set where a browser can be opened, on systems that don't always have windows."""


def require_dashboard() -> None:
    """Raise SpecError where optuna-dashboard isn't installed."""
    if importlib.util.find_spec("optuna_dashboard") is None:
        message = "optuna-dashboard is not installed; pip install 'hiri-spec[report]', or leave the option out"
        raise SpecError(Problem(message, "--dashboard", code="missing_extra"))


class Dashboard:
    """Serves a study's pages at `address`, from when it is made until `close`, as a context or not.

    `storage` is a journal's path, or a shared storage as `--storage` names it. A process of its own keeps the search's
    pace what it is, and ends with this one however that ends.
    """

    def __init__(self, storage: str) -> None:
        # listening before the process has loaded, so that the address is known and who is early waits
        with socket.create_server((HOST, 0)) as listening:
            self.address = f"http://{HOST}:{listening.getsockname()[1]}/"
            self._process = subprocess.Popen(
                [sys.executable, "-m", "explorer.dashboard.server", str(listening.fileno())],
                stdin=subprocess.PIPE,
                stdout=STDERR,  # our stdout is for results
                pass_fds=[listening.fileno()],
                start_new_session=True,  # Ctrl-C is this process's affair
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            )
        assert self._process.stdin is not None
        # not as an argument, which others can read: a URL may have a password. It stays open as the process's lifeline
        self._process.stdin.write(f"{storage}\n".encode())
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def open_browser(self) -> bool:
        """Open a browser if there is one that shows windows; returns whether one was."""
        has_windows = sys.platform in ("darwin", "win32") or any(map(os.environ.get, SHOWS_WINDOWS))
        return has_windows and webbrowser.open(self.address)

    def wait(self) -> int:
        """Until the process ends by itself, which it doesn't but for a mistake: Ctrl-C is the way out."""
        while (status := self._process.poll()) is None:
            time.sleep(AT_A_STRETCH_S)
        return status

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait()
