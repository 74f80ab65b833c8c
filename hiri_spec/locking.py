"""An output folder that one process at a time writes to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import Problem, SpecError

LOCK = ".lock"


@contextmanager
def locked_folder(out: Path, what: str) -> Iterator[Path]:
    """Make an output folder, prove that it can be written, and keep other processes out of it meanwhile.

    `what` is what they do there: a search, a run. Raises SpecError. The lock does not outlive a killed process.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        # without a buffer, which a full disk would make fail once more on closing
        lock = (out / LOCK).open("ab", buffering=0)
    except FileExistsError:
        raise SpecError(Problem(f"{out} is a file, not a folder; name another", "--out", code="unwritable")) from None
    except OSError as error:
        raise unwritable(out, error) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.truncate(0)
            lock.write(str(os.getpid()).encode())
        except BlockingIOError:
            owner = (out / LOCK).read_text(errors="replace").strip() or "unknown"
            message = f"another {what} (process {owner}) is writing to {out}; wait for it, or name another folder"
            raise SpecError(Problem(message, "--out", code="locked")) from None
        except OSError as error:
            raise unwritable(out, error) from None
        yield out


def unwritable(out: Path, error: OSError) -> SpecError:
    """The error for an output folder that can't be written to."""
    message = f"{out} cannot be written: {error.strerror or error}; make room there, or name another folder"
    return SpecError(Problem(message, "--out", code="unwritable"))
