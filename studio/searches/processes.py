"""Searches that run on this machine: started beside the studio, stopped as Ctrl-C does, and what they said last."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path as FilePath

from hiri_spec import SpecError
from hiri_spec.errors import Problem

from .holder import find_holder

LOG = "search.log"
"""The file in the folder of a search that has what its process says."""
LAST_BYTES = 8_000
PROMPT = "$ "


@dataclass(slots=True)
class Started:
    """A process that this studio has started."""

    process: subprocess.Popen[bytes]
    at: float
    """By time.time(), as files are dated."""
    handle: int | None
    """A file descriptor that means this process and no later one of its number; None once it has ended."""

    @property
    def is_alive(self) -> bool:
        """Whether it hasn't ended."""
        return self.process.poll() is None

    def wait(self) -> None:
        """Until it has ended, so that it isn't left a zombie."""
        self.process.wait()
        with _lock:
            handle, self.handle = self.handle, None
            if handle is not None:
                os.close(handle)


_started: dict[FilePath, Started] = {}
"""What this studio has started last in each folder."""
_told_to_stop: dict[FilePath, int] = {}
"""Which process was told to stop in each folder."""
_lock = threading.Lock()


def launch(folder: FilePath, words: Sequence[str], shown: str, directory: FilePath) -> None:
    """Run a Python module in the background: in a session of its own, which nothing that happens here ends.

    What it says goes to LOG. Raises SpecError where one is at work already, and where it can't be started.
    """
    with _lock:
        holder = find_holder(folder)
        last = find_started(folder)
        if holder is not None or (last is not None and last.is_alive):
            who = f" (process {holder})" if holder is not None else ""
            message = f"a search{who} is writing to {folder.name}; wait for it, stop it, or name another folder"
            raise SpecError(Problem(message, "--out", code="locked"))
        paths = os.pathsep.join(filter(None, sys.path))
        environment = os.environ | {"PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "120"}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / LOG).open("ab") as log:
                log.write(f"{PROMPT}{shown}\n".encode())
                log.flush()
                process = subprocess.Popen(
                    # -P: the folder that it runs in has the user's files, not modules
                    [sys.executable, "-P", "-m", *words],
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env=environment,
                )
        except OSError as error:
            reason = error.strerror or str(error)
            raise SpecError(
                Problem(f"cannot be started: {reason}", "--out", file=folder.name, code="unwritable")
            ) from None
        started = _started[folder] = Started(process, time.time(), os.pidfd_open(process.pid))
        _told_to_stop.pop(folder, None)
    threading.Thread(target=started.wait, daemon=True).start()


def find_started(folder: FilePath) -> Started | None:
    """The last process that was started here for a folder, whether it is alive or not."""
    return _started.get(folder)


def is_told_to_stop(folder: FilePath) -> bool:
    """Whether the process that is at work was told to stop by this studio."""
    told = _told_to_stop.get(folder)
    started = _started.get(folder)
    own = started.process.pid if started is not None and started.is_alive else None
    return told is not None and told in (find_holder(folder), own)


def stop_search(folder: FilePath) -> None:
    """Tell a search to stop, as Ctrl-C does: it keeps every finished trial and writes its files; not waited for.

    Only the process that holds the folder's lock is told, whoever started it, or one that was started here and is about
    to take it. Raises SpecError where there is none, or it isn't ours to stop.
    """
    folder = folder.resolve()
    with _lock:
        process = find_holder(folder)
        if process is None:
            started = _started.get(folder)
            if started is None or started.handle is None:
                raise SpecError(Problem("no search is at work there", file=folder.name, code="not_running"))
            process = started.process.pid
            with suppress(ProcessLookupError):  # it has just ended, as was wanted
                signal.pidfd_send_signal(started.handle, _signal_for(process))
        else:
            _interrupt(folder, process)
        _told_to_stop[folder] = process


def _interrupt(folder: FilePath, process: int) -> None:
    """Send the signal to the process that was seen to hold the lock, and to no later one of its number."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        raise SpecError(Problem("its search has just ended", file=folder.name, code="not_running")) from None
    try:
        if find_holder(folder) != process:
            raise SpecError(Problem("its search has just ended", file=folder.name, code="not_running"))
        signal.pidfd_send_signal(handle, _signal_for(process))
    except ProcessLookupError:
        raise SpecError(Problem("its search has just ended", file=folder.name, code="not_running")) from None
    except PermissionError:
        message = f"its search (process {process}) is somebody else's, who alone can stop it"
        raise SpecError(Problem(message, file=folder.name, code="not_ours")) from None
    finally:
        os.close(handle)


def _signal_for(process: int) -> signal.Signals:
    """Ctrl-C's; a process that ignores it, as shells start what is to run beside them, does the same on SIGTERM."""
    with suppress(OSError):
        status = FilePath(f"/proc/{process}/status").read_text()
        ignored = re.search(r"^SigIgn:\s*([0-9a-f]+)$", status, re.MULTILINE)
        if ignored and int(ignored[1], 16) >> (signal.SIGINT - 1) & 1:
            return signal.SIGTERM
    return signal.SIGINT


def tail(folder: FilePath, lines: int = 12) -> str:
    """The last lines that the last run of a search said, if it was started by a studio; empty if it wasn't."""
    try:
        with (folder / LOG).open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - LAST_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    said = text.rpartition(f"{PROMPT}python ")
    own = said[2].partition("\n")[2] if said[1] else text
    kept = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[^\S ]|[\x00-\x1f\x7f]", " ", line).rstrip() for line in own.splitlines()]
    return "\n".join([line for line in kept if line][-lines:])
