"""The figures of a run as CSV: a row a step, a row an epoch."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import Problem, SpecError
from ..saving import write_text

LOSS_FIELDS = ("step", "epoch", "learning_rate", "loss")
FLUSH_S = 5
"""Seconds that rows are kept back at most, while steps go on."""


def write_metrics(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write a row an epoch, the whole file anew."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, stream.getvalue())


class LossLog:
    """A row a step, added to as it goes; steps after the one that a run goes on from are taken out first."""

    def __init__(self, path: Path, steps: int) -> None:
        self._path = path
        kept = [",".join(LOSS_FIELDS) + "\n"]
        if steps and path.is_file():
            lines = path.read_text(errors="replace").splitlines(keepends=True)[1:]
            kept += [line for line in lines if line.endswith("\n") and _step(line) <= steps]
        write_text(path, "".join(kept))
        try:
            self._stream = path.open("a", newline="")
        except OSError as error:
            raise self._unwritable(error) from None
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._flushed_at = time.monotonic()

    def add(self, step: int, epoch: int, learning_rate: float, loss: float) -> None:
        """Add a row; `flush` makes sure of it, and is done every few seconds. Steps and epochs are counted from 1."""
        try:
            self._writer.writerow([step, epoch, repr(learning_rate), repr(loss)])
        except OSError as error:
            raise self._unwritable(error) from None
        if time.monotonic() - self._flushed_at >= FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Hand all rows to the system, which keeps them though this process be killed."""
        try:
            self._stream.flush()
        except OSError as error:
            raise self._unwritable(error) from None
        self._flushed_at = time.monotonic()

    def close(self) -> None:
        """Write what is left."""
        try:
            self._stream.close()
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> SpecError:
        message = f"cannot be written: {error.strerror or error}; make room, and run the same command again"
        return SpecError(Problem(message, file=str(self._path), code="unwritable"))


def _step(line: str) -> float:
    """The step of a row; one that can't be read is later than any."""
    first = line.partition(",")[0]
    return int(first) if first.isdigit() else float("inf")
