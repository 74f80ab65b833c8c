"""What a search was asked for and how it ended, in a file of its folder that others read while it goes on too."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from hiri_spec.saving import write_text

from .interrupts import undivided
from .names import ACCOUNT
from .space import Space, read_space_text

State = Literal["running", "finished", "interrupted", "failed"]
STATES = ("running", "finished", "interrupted", "failed")
MOST_BYTES = 20_000_000
"""A larger file is none of ours: a space has a million at most, which JSON writes longer."""


@dataclass(frozen=True, slots=True)
class Account:
    """A search as others are told of it. One that was killed is "running" for ever."""

    command: str
    """The line that goes on with it, for a shell, without passwords."""
    directory: str
    """The folder in which that was typed, from which its paths lead."""
    trials: int
    """How many were asked for in all."""
    then: tuple[int, ...]
    """How many of the best each further evaluator gets."""
    space: Space
    state: State = "running"
    ending: str = ""
    """Why it ended early."""

    def ended(self, was_interrupted: bool, ending: str, failure: Exception | None) -> Account:
        """The same once the search is over."""
        state: State = "failed" if failure is not None else "interrupted" if was_interrupted else "finished"
        return replace(self, state=state, ending=ending if failure is None else str(failure))


def write_account(out: Path, account: Account) -> None:
    """Write it into the folder of the search, whole; raises SpecError where that can't be."""
    content = {
        "command": account.command,
        "directory": account.directory,
        "trials": account.trials,
        "then": account.then,
        "state": account.state,
        "ending": account.ending,
        "file": account.space.file,
        "space": json.loads(account.space.text),
    }
    with undivided():
        write_text(out / ACCOUNT, json.dumps(content, indent=1) + "\n")


def read_account(out: Path) -> Account | None:
    """The account in a folder; None where there is none, as older searches wrote none, or it is not in form."""
    try:
        with (out / ACCOUNT).open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        return _read(json.loads(content)) if len(content) <= MOST_BYTES else None
    except (OSError, ValueError, RecursionError):  # SpecError, of a space, is a ValueError
        return None


def _read(told: Any) -> Account | None:
    texts = {"command", "directory", "ending", "file"}
    if not isinstance(told, dict) or not all(isinstance(told.get(name), str) for name in texts):
        return None
    then, plain_space = told.get("then"), told.get("space")
    numbers: list[Any] = [told.get("trials"), *then] if isinstance(then, list) else [None]
    if not all(type(number) is int for number in numbers) or told.get("state") not in STATES:
        return None
    if not isinstance(plain_space, dict):
        return None
    space = read_space_text(json.dumps(plain_space), told["file"])
    return Account(
        told["command"], told["directory"], numbers[0], tuple(numbers[1:]), space, told["state"], told["ending"]
    )
