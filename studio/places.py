"""Where in the text of a spec something stands: by the path and the line that a mistake is told with."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from hiri_spec.document import Node, read_nodes
from hiri_spec.errors import Path
from hiri_spec.files import parse_path

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What the YAML library counts as the end of a line."""


class Place(NamedTuple):
    """A line, from 1 on, and the indices of its first character that is meant and of what follows the last."""

    line: int
    start: int
    end: int


class Places:
    """The lines of a text, and its values by path if it can be read."""

    def __init__(self, text: str, *, can_be_read: bool = True) -> None:
        self._text = text
        self._can_be_read = can_be_read
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    @cached_property
    def _root(self) -> Node | None:
        """None for a text that is no YAML, such as it is allowed here."""
        return read_nodes(self._text, "") if self._can_be_read else None

    def find(self, path: str, line: int | None, *, is_key: bool = False) -> Place:
        """The value at a path, or its key, as far as it is on its first line; else what is written on the line.

        A value that `set` changes has two places: the line tells which.
        """
        parts = parse_path(path) if path else ()
        for key, node in self._candidates(parts) if parts else ():
            is_here = line in (None, node.line)
            if is_here and node.end > node.start and not (is_key and key):
                return self._on_first_line(node)
            if key and line in (None, key.line):
                return self._on_first_line(key)
        return self._key_on_line(parts, line or 1) or self._whole_line(line or 1)

    def _candidates(self, parts: Path) -> Iterator[tuple[Node | None, Node]]:
        """What a path may mean: a value of the file's own, one that it sets, or any other that it sets."""
        if self._root is None:
            return
        yield from _walk(None, self._root, parts)
        changes = self._root.content.get("set") if isinstance(self._root.content, dict) else None
        if changes is None or not isinstance(changes.content, dict):
            return
        for dotted, node in changes.content.items():
            own = parse_path(dotted)
            if parts[: len(own)] == own:
                yield from _walk(changes.keys[dotted], node, parts[len(own) :])
        for dotted, node in changes.content.items():
            yield changes.keys[dotted], node

    def _on_first_line(self, node: Node) -> Place:
        line = bisect_right(self._starts, node.start)
        return Place(line, node.start, min(node.end, self._whole_line(line).end))

    def _key_on_line(self, parts: Path, line: int) -> Place | None:
        """The last key of a name on a line, in a text that can't be read because of it."""
        if not parts or self._root is not None:
            return None
        place = self._whole_line(line)
        pattern = re.compile(rf"(?<!\w){re.escape(str(parts[-1]))}(?=['\"]?\s*:)")
        found = list(pattern.finditer(self._text, place.start, place.end))
        return Place(place.line, found[-1].start(), found[-1].end()) if found else None

    def _whole_line(self, line: int) -> Place:
        """What is written on a line, or on the nearest before or after it that isn't blank."""
        line = min(line, len(self._starts))
        for near in (*range(line, 0, -1), *range(line + 1, len(self._starts) + 1)):
            start = self._starts[near - 1]
            written = self._text[start : self._starts[near] if near < len(self._starts) else None]
            if written.strip():
                start += len(written) - len(written.lstrip())
                return Place(near, start, start + len(written.strip()))
        return Place(1, 0, len(self._text))


def _walk(key: Node | None, node: Node, parts: Path) -> Iterator[tuple[Node | None, Node]]:
    """The value at a path from a node on, with its key, if it is there."""
    for part in parts:
        if isinstance(node.content, dict) and str(part) in node.content:
            key, node = node.keys[str(part)], node.content[str(part)]
        elif isinstance(node.content, list) and isinstance(part, int) and 0 <= part < len(node.content):
            key, node = None, node.content[part]
        else:
            return
    yield key, node
