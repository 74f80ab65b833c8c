"""The one error type of this project: where, what (with the actual values), how to fix it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]
MAX_SHOWN = 60
MAX_LISTED = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a spec: its place, the actual values, and the way out."""

    message: str
    path: str = ""
    file: str = ""
    line: int | None = None
    code: str = "invalid"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        where = " ".join(part for part in (place, self.path) if part)
        return f"{where}: {self.message}" if where else self.message


class SpecError(ValueError):
    """A mistake of the user's, in a spec or in a call.

    `problems` holds every mistake found, each with file, line, dotted path, message and a stable code;
    `str(error)` prints one a line.
    """

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[SpecError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


def format_path(path: Path) -> str:
    """Write a path as users read it: `stages[2].width`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def show(value: object) -> str:
    """Write a value as users wrote it, or the beginning of it if it is long."""
    words: dict[object, str] = {None: "null", True: "true", False: "false"}
    try:
        text = words[value] if value is None or isinstance(value, bool) else repr(value)
    except ValueError:  # Python refuses to write the longest
        return "a number of thousands of digits"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def suggest(word: object, known: Iterable[str]) -> str:
    """Return the nearest known names as the tail of a sentence."""
    options = sorted(known)
    near = difflib.get_close_matches(str(word)[:MAX_SHOWN], options, n=3, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(repr(name) for name in near) + "?"
    return "known: " + ", ".join(options[:MAX_LISTED]) + (", …" if len(options) > MAX_LISTED else "")
