"""The journal of a search, read while another process writes it: without a lock, and only what has come since.

Its lines are records of Optuna's, one JSON mapping each, of which a search writes a few kinds. They are read without
Optuna, which would take seconds to make trials of thousands of them.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path as FilePath
from typing import Any, BinaryIO

from explorer.names import DESCRIPTION
from hiri_spec import SpecError
from hiri_spec.errors import Problem

LONGEST_LINE = 10_000_000
"""Bytes of a record; those of a large space have some ten thousand."""


class Operation(IntEnum):
    """What a record does, by Optuna's numbers."""

    CREATE_STUDY = 0
    SET_STUDY_USER_ATTR = 2
    SET_STUDY_SYSTEM_ATTR = 3
    CREATE_TRIAL = 4
    SET_TRIAL_STATE_VALUES = 6
    SET_TRIAL_INTERMEDIATE_VALUE = 7
    SET_TRIAL_USER_ATTR = 8
    SET_TRIAL_SYSTEM_ATTR = 9


class State(IntEnum):
    """How a trial stands, by Optuna's numbers."""

    RUNNING = 0
    COMPLETE = 1
    PRUNED = 2
    FAIL = 3
    WAITING = 4


@dataclass(slots=True)
class Record:
    """A trial as it is written."""

    number: int
    state: State
    values: tuple[float, ...]
    attributes: dict[str, Any]
    place: int
    """Where its line begins, in bytes, which has what it was drawn from."""
    line: int


@dataclass(slots=True)
class Study:
    """A study: that of a search, of one in a larger space, or of a further evaluator."""

    name: str
    settings: dict[str, Any] | None = None
    """What search it belongs to; None while that is not written."""
    records: list[Record] = field(default_factory=list)


class Journal:
    """A journal file; `refresh` reads what has come since."""

    def __init__(self, path: FilePath) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        """Inode, size and time of change when it was read last."""
        self.forget()

    def forget(self) -> bool:
        """Begin anew; returns whether anything was read before."""
        had_any, self._seen = self._seen is not None, None
        self.studies: dict[str, Study] = {}
        self._in_order: list[Study] = []
        self._records: list[Record] = []
        self._read_to = 0
        self._line = 0
        self._last = b""
        """The last line that was read."""
        return had_any

    def refresh(self) -> bool:
        """Read what has come since, nothing of a file that isn't there; returns whether anything is otherwise.

        Raises SpecError, with the line, for a file that is no journal of a search or can't be read. A last line that
        is not whole yet is left for the next time.
        """
        try:
            with self.path.open("rb") as stream:
                status = os.fstat(stream.fileno())
                seen = (status.st_ino, status.st_size, status.st_mtime_ns)
                if seen == self._seen:
                    return False
                if not self._goes_on(stream, seen):
                    self.forget()
                stream.seek(self._read_to)
                self._read(stream)
                self._seen = seen
        except (FileNotFoundError, NotADirectoryError):
            return self.forget()
        except OSError as error:
            reason = error.strerror or str(error)
            raise SpecError(Problem(f"cannot be read: {reason}", file=str(self.path), code="unreadable")) from None
        return True

    def drawn(self, record: Record) -> dict[str, Any]:
        """What a trial was drawn from: the label taken of each parameter; raises SpecError for a damaged line."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(record.place)
                told = json.loads(stream.readline(LONGEST_LINE))
            taken = {}
            for name, place in told["params"].items():
                choices = json.loads(told["distributions"][name])["attributes"]["choices"]
                taken[name] = choices[int(place)]
        except OSError as error:
            reason = error.strerror or str(error)
            raise SpecError(Problem(f"cannot be read: {reason}", file=str(self.path), code="unreadable")) from None
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            raise self.damaged(record.line, "no trial of a search") from None
        return taken

    def damaged(self, line: int, what: str) -> SpecError:
        """The error for a line that can't be used; the command knows the ways out."""
        message = f"is damaged, this line is {what}; the search's own command says how it can go on"
        return SpecError(Problem(message, file=str(self.path), line=line, code="damaged"))

    def _goes_on(self, stream: BinaryIO, seen: tuple[int, int, int]) -> bool:
        """Whether the file is what was read and more: not another one, nor cut, nor written anew by hand."""
        if self._seen is not None and (seen[0] != self._seen[0] or seen[1] <= self._seen[1]):
            return False
        stream.seek(self._read_to - len(self._last))
        return stream.read(len(self._last)) == self._last

    def _read(self, stream: BinaryIO) -> None:
        while (text := stream.readline(LONGEST_LINE)).endswith(b"\n"):
            self._line += 1
            try:
                told = json.loads(text)
            except (ValueError, RecursionError):
                raise self.damaged(self._line, "no JSON") from None
            try:
                self._apply(Operation(told["op_code"]), told)
            except (ValueError, TypeError, KeyError, IndexError, AttributeError):
                raise self.damaged(self._line, "no record of a search") from None
            self._read_to += len(text)
            self._last = text
        if len(text) == LONGEST_LINE:
            raise self.damaged(self._line + 1, "longer than any record")

    def _apply(self, operation: Operation, told: dict[str, Any]) -> None:
        """Do as a record says; raises one of many errors for one that says nothing of use."""
        if operation == Operation.CREATE_STUDY:
            study = Study(str(told["study_name"]))
            if study.name not in self.studies:
                self.studies[study.name] = study
                self._in_order.append(study)
        elif operation == Operation.SET_STUDY_USER_ATTR:
            settings = told["user_attr"].get(DESCRIPTION)
            if isinstance(settings, dict):
                self._in_order[_index(told["study_id"])].settings = settings
        elif operation == Operation.CREATE_TRIAL:
            records = self._in_order[_index(told["study_id"])].records
            attributes = dict(told.get("user_attrs", {}))
            state = State(told.get("state", State.RUNNING))
            value = told.get("value")  # of a search with one objective, or else `values`
            values = _numbers(told.get("values") if value is None else [value])
            record = Record(len(records), state, values, attributes, self._read_to, self._line)
            records.append(record)
            self._records.append(record)
        elif operation in (Operation.SET_TRIAL_STATE_VALUES, Operation.SET_TRIAL_USER_ATTR):
            record = self._records[_index(told["trial_id"])]
            if record.state not in (State.RUNNING, State.WAITING):
                return  # what is over stays as it was
            if operation == Operation.SET_TRIAL_USER_ATTR:
                record.attributes.update(told["user_attr"])
            else:
                record.values = _numbers(told["values"]) or record.values
                record.state = State(told["state"])


def _index(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError(number)
    return number


def _numbers(values: Any) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values or ())
    if not all(map(math.isfinite, numbers)):
        raise ValueError(values)
    return numbers
