"""The table of measurements: one line for each value of a network, added as it is measured, so that none is lost."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from hiri_spec import SpecError
from hiri_spec.errors import Problem

TABLE = "measurements.csv"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value of a network: `measure` is a score's name, or `train` with what it was trained on and how."""

    network: str
    """Its hash, see `space.network_hash`."""
    measure: str
    seed: int
    value: float
    seconds: float


HEADER = tuple(field.name for field in fields(Measurement))


class Measurements:
    """All that was measured, in the order in which it was; by (network, measure, seed) each is there once."""

    def __init__(self, rows: Iterable[Measurement] = ()) -> None:
        self._rows = {(row.network, row.measure, row.seed): row for row in rows}

    def __len__(self) -> int:
        return len(self._rows)

    def has(self, network: str, measure: str, seed: int) -> bool:
        """Whether that was measured."""
        return (network, measure, seed) in self._rows

    def add(self, row: Measurement) -> None:
        """Take one more."""
        self._rows[row.network, row.measure, row.seed] = row

    def only(self, networks: Collection[str], measures: Collection[str]) -> Measurements:
        """Those of some networks and measures."""
        rows = self._rows.values()
        return Measurements(row for row in rows if row.network in networks and row.measure in measures)

    @property
    def measures(self) -> list[str]:
        """What was measured, in order of appearance."""
        return list(dict.fromkeys(measure for _, measure, _ in self._rows))

    def values(self, measure: str) -> dict[str, dict[int, float]]:
        """By network, and then by seed."""
        found: dict[str, dict[int, float]] = {}
        for (network, name, seed), row in self._rows.items():
            if name == measure:
                found.setdefault(network, {})[seed] = row.value
        return found

    def means(self, measure: str) -> dict[str, float]:
        """By network, the mean over its seeds."""
        return {network: sum(seeds.values()) / len(seeds) for network, seeds in self.values(measure).items()}


def read_table(path: Path) -> tuple[Measurements, int]:
    """Read a table, and say how many bytes of it are whole; a last line that was cut off is not.

    Raises SpecError, with the line, for what is no table.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SpecError(Problem(f"cannot be read: {error.strerror or error}", file=str(path))) from None
    whole = content.rfind(b"\n") + 1
    rows = list(csv.reader(io.StringIO(content[:whole].decode("utf-8", "replace"))))
    if rows and tuple(rows[0]) != HEADER:
        message = f"is no table of measurements, whose first line is {','.join(HEADER)}; name another"
        raise SpecError(Problem(message, file=str(path), line=1))
    return Measurements(_read_row(row, line, path) for line, row in enumerate(rows[1:], 2)), whole


def _read_row(row: Sequence[str], line: int, path: Path) -> Measurement:
    try:
        network, measure, seed, value, seconds = row
        return Measurement(network, measure, int(seed), float(value), float(seconds))
    except ValueError:
        message = f"{','.join(row)} is no measurement; take the line out, and it is measured again"
        raise SpecError(Problem(message, file=str(path), line=line, code="damaged")) from None


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the disk refuses is told; what is in the table stays."""
    try:
        yield
    except OSError as error:
        message = f"takes no more: {error.strerror or error}; what is in it is kept. Make room, and run the same again"
        raise SpecError(Problem(message, file=str(path), code="unwritable")) from None


class TableFile:
    """A table on disk that grows by whole lines; `measurements` is what it holds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.measurements = Measurements()
        if path.exists():
            self.measurements, whole = read_table(path)
            with _told(path), path.open("r+b") as stream:
                stream.truncate(whole)
        if not path.exists() or not path.stat().st_size:
            self._append([dict(zip(HEADER, HEADER, strict=True))])

    def add(self, row: Measurement) -> None:
        """Write one more; raises SpecError where the disk takes no more, with all before it kept."""
        self._append([dict(zip(HEADER, astuple(row), strict=True))])
        self.measurements.add(row)

    def _append(self, rows: Iterable[Mapping[str, object]]) -> None:
        text = io.StringIO()
        csv.DictWriter(text, HEADER, lineterminator="\n").writerows(rows)
        with _told(self._path), self._path.open("ab") as stream:
            stream.write(text.getvalue().encode())
            stream.flush()
            os.fsync(stream.fileno())
