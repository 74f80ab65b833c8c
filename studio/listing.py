"""What a folder holds for the studio: specs, spaces and searches. Within bounds, and without following links."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import Literal

from explorer.names import JOURNAL
from hiri_spec import SpecError
from hiri_spec.files import builtin_specs

SUFFIXES = (".yaml", ".yml")
MOST_ENTRIES = 20_000
"""Files and folders that are looked at."""
DEEPEST = 8
"""How many folders down."""
MOST_LISTED = 2_000
SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})
"""Folders of others' files; hidden ones are left out too."""
LONGEST_CHAIN = 8
"""Of files that extend one another."""

_STAGES = re.compile(r"^stages\s*:", re.MULTILINE)
_STEM = re.compile(r"^stem\s*:", re.MULTILINE)
_EXTENDS = re.compile(r"""^extends\s*:\s*["']?([^"'#\n]*[^"'#\s])""", re.MULTILINE)
_VARIES = re.compile(r"[\s{\[-](choice|range)\s*:\s")
Kind = Literal["spec", "space"]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds, by paths below it: specs and spaces in order, searches with the latest first.

    The networks that a search found are listed by the search, and not here.
    """

    specs: tuple[str, ...] = ()
    spaces: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    is_whole: bool = True
    """Whether all of the folder was looked at."""


@dataclass(slots=True)
class _Found:
    read: Callable[[str], str]
    kinds: dict[str, Kind | None] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)
    searches: list[tuple[float, str]] = field(default_factory=list)
    entries: int = 0
    is_whole: bool = True


def list_folder(root: FilePath, read: Callable[[str], str]) -> Listing:
    """Look through a folder; `read` gives the text of a path below it, or raises SpecError."""
    found = _Found(read)
    _look(root, "", 0, found)
    specs = [path for path in found.listed if _kind(path, found) == "spec"]
    spaces = [path for path in found.listed if _kind(path, found) == "space"]
    searches = [path for _, path in sorted(found.searches, key=lambda item: (-item[0], item[1]))]
    return Listing(tuple(specs), tuple(spaces), tuple(searches), found.is_whole)


def _look(folder: FilePath, below: str, depth: int, found: _Found) -> None:
    try:
        with os.scandir(folder) as scan:
            entries = sorted(_bounded(scan, found), key=lambda entry: entry.name)
        journal = next((entry for entry in entries if entry.name == JOURNAL), None)
        if journal is not None and journal.is_file(follow_symlinks=False):
            found.searches.append((journal.stat(follow_symlinks=False).st_mtime, below or "."))
            return
    except OSError:  # a folder that is somebody else's, or has gone, is as good as none
        return
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.name.startswith(".") or entry.name in SKIPPED or not path.isprintable():
            continue
        if entry.is_dir(follow_symlinks=False):
            if depth < DEEPEST:
                _look(folder / entry.name, path, depth + 1, found)
            else:
                found.is_whole = False
        elif entry.is_file(follow_symlinks=False) and entry.name.endswith(SUFFIXES):
            if len(found.listed) < MOST_LISTED:
                found.listed.append(path)
            else:
                found.is_whole = False


def _bounded(scan: Iterator[os.DirEntry[str]], found: _Found) -> Iterator[os.DirEntry[str]]:
    for entry in scan:
        found.entries += 1
        if found.entries > MOST_ENTRIES:
            found.is_whole = False
            return
        yield entry


def _kind(path: str, found: _Found, chain: int = 0) -> Kind | None:
    """What a file is by its text, which needn't be in order; what extends another is what that one is."""
    if path not in found.kinds:
        found.kinds[path] = None  # while it is looked at, for those that go round in a circle
        with suppress(SpecError):  # what can't be read is neither
            found.kinds[path] = _kind_of_text(path, found.read(path), found, chain)
    return found.kinds[path]


def _kind_of_text(path: str, text: str, found: _Found, chain: int) -> Kind | None:
    extends = _EXTENDS.search(text)
    if _STAGES.search(text) and (_STEM.search(text) or extends):
        return "space" if _VARIES.search(text) else "spec"
    if extends is None:
        return None
    beside = os.path.normpath(PurePosixPath(path).parent / extends[1])
    base = _kind(beside, found, chain + 1) if chain < LONGEST_CHAIN else None
    if base is None and extends[1] in builtin_specs():
        base = "spec"
    return "space" if base and _VARIES.search(text) else base
