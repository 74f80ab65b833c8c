"""Changing values of a document by dotted path: `set` in files and in Python, `--set` on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from .document import Document, Origin, get, parse_value
from .errors import Path, Problem, SpecError, format_path, show, suggest


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file holds, for all that is written by the rules of specs: what to call it, and the built-in ones.

    `shorthands` are fields whose value may be a name or be left out, where `set` may reach inside all the same; a name
    set for one of `named` leaves the fields beside it as they are.
    """

    noun: str
    builtin: Callable[[], dict[str, FilePath]]
    shorthands: tuple[str, ...]
    example: str
    named: tuple[str, ...] = ()


def apply_set(document: Document, changes: Mapping[str, Any] | None, kind: Kind) -> None:
    """Change values of a document by dotted path."""
    if not isinstance(changes or {}, Mapping) or not all(isinstance(dotted, str) for dotted in changes or {}):
        raise SpecError(Problem(f"{show(changes)} sets nothing; give {{'stages.3.depth': 12}}", "set"))
    for dotted, value in (changes or {}).items():
        set_value(document, dotted, value, {(): Origin("--set")}, kind)


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Read `stages.3.depth=12` as typed behind `--set`."""
    changes: dict[str, Any] = {}
    for text in assignments:
        dotted, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not dotted:
            raise SpecError(Problem(f"{show(text)} sets nothing; write PATH=VALUE, like stages.3.depth=12", "--set"))
        try:
            changes[dotted] = parse_value(value, "--set")
        except SpecError as error:
            raise SpecError(replace(problem, path=dotted, line=None) for problem in error.problems) from None
    return changes


def parse_path(dotted: str) -> Path:
    """Read `stages.3.depth` or `stages[3].depth`."""
    parts = re.sub(r"\[(-?[0-9]+)\]", r".\1", dotted).split(".")
    return tuple(int(part) if re.fullmatch(r"-?[0-9]{1,9}", part, re.ASCII) else part for part in parts)


def set_value(document: Document, dotted: str, value: Any, origins: Mapping[Path, Origin], kind: Kind) -> None:
    """Set one value of a document; raises SpecError where the path leads nowhere.

    `origins` tells where the value and what is inside it were written, by path within the value.
    """
    path = list(parse_path(dotted))
    edited = len(path)

    def fail(message: str) -> SpecError:
        return SpecError(Problem(message, dotted, origins[()].file, origins[()].line, "no_such_path"))

    old: Any = None
    place = document.data = _copied(document.data)
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if last and not depth and part in kind.named and isinstance(value, str):
            path.append(part)
            last = False
        where = format_path(tuple(path[:depth])) or f"the {kind.noun}"
        if isinstance(place, list):
            if part == "":
                raise fail("has an empty name between its dots; write it like stages.3.depth")
            if not isinstance(part, int) or not -len(place) <= part < len(place):
                raise fail(f"{where} has {len(place)} items, 0 to {len(place) - 1}; there is no {part}")
            path[depth] = part = part % len(place)
        elif not isinstance(place, dict):
            raise fail(f"{where} is {show(place)}, with nothing inside; write it as a mapping first")
        elif part == "":
            raise fail("has an empty name between its dots; write it like stages.3.depth")
        elif not isinstance(part, str):
            raise fail(f"{where} is a mapping; name a field of it, {suggest(part, place)}")
        elif not last and not isinstance(place.get(part), dict | list) and part in kind.shorthands:
            place[part] = {part: place[part]} if isinstance(place.get(part), str) else {}
            edited = min(edited, depth + 1)
        elif not last and part not in place:
            known = place if depth else place.keys() | {*kind.shorthands}
            raise fail(f"{where} has no {part}; {suggest(part, known)}")
        if last:
            old = place.get(part) if isinstance(place, dict) else place[part]
            place[part] = value
        else:
            place[part] = _copied(place[part])
            place = place[part]
    whole = tuple(path)
    for inside in _paths_within(old):
        document.origins.pop((*whole, *inside), None)
    document.origins |= {(*whole, *inside): origin for inside, origin in origins.items()}
    document.edits.append((whole[:edited], get(document.data, whole[:edited])))


def _paths_within(value: Any) -> Iterator[Path]:
    """The path of a value from itself, and those of all values in it."""
    yield ()
    inside = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    )
    for part, item in inside:
        yield from ((part, *path) for path in _paths_within(item))


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, list | tuple) else value
