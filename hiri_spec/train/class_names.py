"""Names of classes from a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..errors import Problem, SpecError


def read_class_names(path: str | os.PathLike[str], classes: int) -> tuple[str, ...]:
    """As many names as there are classes, in the order of their indices; raises SpecError for anything else.

    A text file has one a line; a JSON file (.json) has a list of them, or a mapping of indices to them.
    """
    place = Path(path)
    try:
        text = place.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _error(place, "is not UTF-8 text; write a name a line") from None
    except OSError as error:
        raise _error(place, f"cannot be read: {error.strerror or error}", "unreadable") from None
    names = _parse_json(text, place) if place.suffix.lower() == ".json" else _parse_lines(text)
    if len(names) != classes:
        message = f"has {len(names):,} names, and the network gives {classes:,} scores; write one name for each"
        raise _error(place, message, "class_count")
    return tuple(names)


def _parse_lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _parse_json(text: str, place: Path) -> list[str]:
    advice = 'write ["cat", "dog"] or {"0": "cat", "1": "dog"}'
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        raise _error(place, f"is not valid JSON ({error}); {advice}") from None
    if isinstance(data, dict):
        indices = [str(index) for index in range(len(data))]
        if set(data) != set(indices):
            raise _error(place, f"has keys that are not the indices 0 to {len(data) - 1}; {advice}")
        data = [data[index] for index in indices]
    if not isinstance(data, list) or not all(isinstance(name, str) for name in data):
        raise _error(place, f"is no list of names; {advice}")
    return data


def _error(place: Path, message: str, code: str = "class_names") -> SpecError:
    return SpecError(Problem(message, file=str(place), code=code))
