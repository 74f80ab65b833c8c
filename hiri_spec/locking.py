"""An output folder that one process at a time writes to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from .errors import Problem, SpecError

LOCK = ".lock"


@contextmanager
def locked_folder(out: Path, what: str) -> Iterator[Path]:
    """Make an output folder, prove that it can be written, and keep other processes out of it meanwhile.

    `what` is what they do there: a search, a run. Raises SpecError. The lock does not outlive a killed process. Where
    something is raised inside, the lock and empty folders go that this call has made: a refusal leaves nothing.
    """
    made = [place for place in (out, *out.parents) if not place.exists()]
    is_new = not (out / LOCK).exists()
    try:
        lock = _take(out, what)
    except SpecError:
        _remove_empty(made)
        raise
    with lock:
        try:
            yield out
        except BaseException:
            if is_new:
                (out / LOCK).unlink(missing_ok=True)  # while it is held, or it would be another process's by now
                _remove_empty(made)
            raise


def _take(out: Path, what: str) -> FileIO:
    """The open lock of a folder, which is made; raises SpecError where it can't be had."""
    while True:
        try:
            out.mkdir(parents=True, exist_ok=True)
            # without a buffer, which a full disk would make fail once more on closing
            lock = (out / LOCK).open("ab", buffering=0)
        except FileExistsError:
            message = f"{out} is a file, not a folder; name another"
            raise SpecError(Problem(message, "--out", code="unwritable")) from None
        except OSError as error:
            raise unwritable(out, error) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(lock, out / LOCK):
                lock.truncate(0)
                lock.write(str(os.getpid()).encode())
                return lock
            lock.close()  # a process that was refused has removed it since
        except BlockingIOError:
            lock.close()
            try:
                owner = (out / LOCK).read_text(errors="replace").strip() or "unknown"
            except FileNotFoundError:  # the process that holds it was refused, and has removed it since
                continue
            except OSError as error:
                raise unwritable(out, error) from None
            message = f"another {what} (process {owner}) is writing to {out}; wait for it, or name another folder"
            raise SpecError(Problem(message, "--out", code="locked")) from None
        except OSError as error:
            lock.close()
            raise unwritable(out, error) from None


def _is_at(file: FileIO, path: Path) -> bool:
    """Whether an open file is the one that lies at a path now."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders, the innermost first, up to one that holds something."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def unwritable(out: Path, error: OSError) -> SpecError:
    """The error for an output folder that can't be written to."""
    message = f"{out} cannot be written: {error.strerror or error}; make room there, or name another folder"
    return SpecError(Problem(message, "--out", code="unwritable"))
