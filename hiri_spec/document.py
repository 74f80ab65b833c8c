"""YAML text → plain data that knows the file and line of every value. Nothing but plain data is ever constructed.

The YAML library only splits the text into events; what they mean is decided here, by the core schema of YAML 1.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent

from .errors import Path, Problem, SpecError, format_path, show
from .quantities import MAX_NUMBER

MAX_BYTES = 1_000_000
MAX_VALUES = 50_000
MAX_NESTING = 64


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written."""

    file: str
    line: int | None = None


@dataclass(slots=True)
class Document:
    """Plain data, the origin of each value by its path, and the text it was read from with the changes made since.

    `text` is None for data that stands in no single file.
    """

    data: Any
    origins: dict[Path, Origin]
    file: str
    text: str | None = field(default=None, repr=False)
    edits: list[tuple[Path, Any]] = field(default_factory=list, repr=False)

    def origin(self, path: Path) -> Origin:
        """Origin of the value at a path, or of the nearest value around it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.origins:
                return self.origins[path[:end]]
        return Origin(self.file)

    def error(self, path: Path, message: str, code: str = "invalid") -> SpecError:
        """A SpecError at a path of this document."""
        return SpecError(self.problem(path, message, code))

    def problem(self, path: Path, message: str, code: str = "invalid") -> Problem:
        """A Problem at a path of this document."""
        origin = self.origin(path)
        return Problem(message, format_path(path), origin.file, origin.line, code)


@dataclass(slots=True, eq=False)
class Node:
    """A piece of YAML text: what it says (a scalar, a list of nodes, nodes by key) and where it stands."""

    content: Any
    line: int
    start: int
    end: int
    is_flow: bool = True
    keys: dict[str, Node] = field(default_factory=dict)
    """The keys themselves, where the content is nodes by key."""


def parse(text: str, file: str) -> Document:
    """Read YAML text; raises SpecError with file and line for anything that is not plain, bounded YAML 1.2."""
    return as_document(read_nodes(text, file), text, file)


def as_document(root: Node, text: str, file: str) -> Document:
    """The data of a text that was read as nodes; raises SpecError if aliases make too much of it."""
    document = Document(None, {}, file, text)
    document.data = _plain(root, (), Origin(file, 1), document)
    return document


def parse_value(text: str, file: str) -> Any:
    """Read one YAML value, as typed on a command line."""
    try:
        return parse(text, file).data
    except SpecError as error:
        if error.problems[0].code != "not_yaml":
            raise
        message = f"{show(text)} is not one value; put text in quotes, and close every bracket"
        raise SpecError(Problem(message, file=file, code="not_yaml")) from None


def _plain(node: Node, path: Path, origin: Origin, document: Document) -> Any:
    """Copy to plain data and note origins; aliases are expanded, within bounds."""
    document.origins[path] = origin
    if len(document.origins) > MAX_VALUES:
        message = f"more than {MAX_VALUES:,} values once aliases are expanded; write fewer"
        raise document.error(path[:3], message, "too_many_values")
    if len(path) > MAX_NESTING:
        raise document.error(path[:3], f"nested more than {MAX_NESTING} levels deep; make it flatter", "too_deep")
    if isinstance(node.content, dict):
        return {
            key: _plain(item, (*path, key), Origin(origin.file, node.keys[key].line), document)
            for key, item in node.content.items()
        }
    if isinstance(node.content, list):
        return [
            _plain(item, (*path, place), Origin(origin.file, item.line), document)
            for place, item in enumerate(node.content)
        ]
    return node.content


def read_nodes(text: str, file: str) -> Node:
    """Read YAML text as a tree of nodes; an empty text is a null."""
    if len(text) > MAX_BYTES:
        message = f"{len(text):,} characters; a spec has at most {MAX_BYTES:,}"
        raise SpecError(Problem(message, file=file, code="too_large"))
    try:
        return _Reader(text, file).read_document()
    except MarkedYAMLError as error:
        raise SpecError(_syntax_problem(error, text, file)) from None
    except YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        reason = str(error).splitlines()[0]
        raise SpecError(Problem(f"not valid YAML: {reason}", file=file, line=line, code="not_yaml")) from None


def _syntax_problem(error: MarkedYAMLError, text: str, file: str) -> Problem:
    """Tell what the YAML library found, at the line where something began that the text never ends."""
    what = (error.problem or "unreadable").strip()
    mark, begin = error.problem_mark or error.context_mark, error.context_mark
    if begin and mark and begin.line != mark.line:
        what += f", {error.context} that begins on line {begin.line + 1}"
        if mark.index >= len(text.rstrip()):
            mark = begin
    message = f"not valid YAML: {what}; check indentation, quotes, brackets and colons"
    return Problem(message, file=file, line=mark.line + 1 if mark else None, code="not_yaml")


class _Reader:
    """Events of the YAML library → nodes. Tags, duplicate keys and keys that are not text are refused."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)
        self._anchors: dict[str, Node | None] = {}
        """None while the anchored value is still being read."""
        self._count = 0

    def read_document(self) -> Node:
        """Read the one document of the stream."""
        next(self._events)
        begin = next(self._events)
        if not hasattr(begin, "explicit"):
            return Node(None, 1, 0, 0)
        if begin.version not in (None, (1, 2)):
            version = ".".join(map(str, begin.version))
            self._fail(begin, (), f"YAML {version} is not read, only 1.2; remove the line %YAML", "not_yaml")
        root = self._read(next(self._events), ())
        next(self._events)
        after = next(self._events)
        if hasattr(after, "explicit"):
            self._fail(after, (), "a second document begins here; a file holds one spec", "not_yaml")
        return root

    def _read(self, event: Any, path: Path) -> Node:
        self._count += 1
        if self._count > MAX_VALUES:
            self._fail(event, path[:3], f"more than {MAX_VALUES:,} values; write fewer", "too_many_values")
        if len(path) > MAX_NESTING:
            self._fail(event, path[:3], f"nested more than {MAX_NESTING} levels deep; make it flatter", "too_deep")
        line, start, end = event.start_mark.line + 1, event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            return self._follow(event, path, Node(None, line, start, end))
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self._fail(event, path, f"the tag {tag} is not allowed; a spec holds plain data only, remove it", "tag")
        if event.anchor:
            self._anchors[event.anchor] = None
        if isinstance(event, ScalarEvent):
            node = Node(self._scalar(event, path), line, start, end)
        else:
            node = Node([], line, start, end, is_flow=bool(event.flow_style))
            fill = self._fill_mapping if isinstance(event, MappingStartEvent) else self._fill_list
            fill(node, path)
        node.end = start + len(self._text[start : node.end].rstrip())
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: Any, path: Path) -> Any:
        value = event.value if event.style else resolve(event.value)
        if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
            message = f"{show(event.value)} is no number of use here; use one of at most {MAX_NUMBER:.0e} in size"
            self._fail(event, path, message, "not_finite")
        return value

    def _fill_list(self, node: Node, path: Path) -> None:
        while not isinstance(event := next(self._events), SequenceEndEvent):
            node.content.append(self._read(event, (*path, len(node.content))))
        node.end = event.end_mark.index if node.is_flow or not node.content else node.content[-1].end

    def _fill_mapping(self, node: Node, path: Path) -> None:
        own: dict[str, Node] = {}
        merged: list[Node] = []
        while not isinstance(event := next(self._events), MappingEndEvent):
            written = self._read(event, (*path, "?"))
            key = written.content
            if not isinstance(key, str):
                named = "a key" if isinstance(key, list | dict) else f"the key {show(key)}"
                self._fail(event, path, f"{named} is not text; put it in quotes", "key_not_text")
            if key in own:
                message = f"{key} is here twice, first on line {node.keys[key].line}; remove one of the two"
                self._fail(event, (*path, key), message, "duplicate_key")
            item = self._read(next(self._events), (*path, key))
            node.end = item.end
            if key == "<<" and not event.style:
                merged += item.content if isinstance(item.content, list) else [item]
                if not all(isinstance(each.content, dict) for each in merged):
                    self._fail(event, (*path, key), "<< takes a mapping or a list of mappings, like *name", "merge")
            else:
                own[key], node.keys[key] = item, written
        if node.is_flow:
            node.end = event.end_mark.index
        for each in merged:
            self._count += len(each.content)
            if self._count > MAX_VALUES:
                self._fail(event, path[:3], f"more than {MAX_VALUES:,} values once << is followed", "too_many_values")
            own = each.content | own
            node.keys = each.keys | node.keys
        node.content = own

    def _follow(self, event: Any, path: Path, node: Node) -> Node:
        """What an alias stands for, at the alias's own place."""
        if event.anchor not in self._anchors:
            hint = f"there is no &{event.anchor} before it"
            self._fail(event, path, f"unknown alias *{event.anchor}; {hint}", "unknown_alias")
        target = self._anchors[event.anchor]
        if target is None:
            self._fail(event, path, f"*{event.anchor} contains itself; write it out", "recursive_alias")
        node.content, node.keys = target.content, target.keys
        return node

    def _fail(self, event: Any, path: Path, message: str, code: str) -> NoReturn:
        raise SpecError(Problem(message, format_path(path), self._file, event.start_mark.line + 1, code))


_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = dict.fromkeys(("", "~", "null", "Null", "NULL")) | {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}


def resolve(text: str) -> Any:
    """What a scalar without quotes stands for, by the core schema of YAML 1.2: text unless it looks otherwise."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base) if len(text) < 1000 else math.inf
    if _FLOAT.fullmatch(text):
        return float(text)
    return math.nan if _NOT_FINITE.fullmatch(text) else text


def get(data: Any, path: Path) -> Any:
    """Value at a path of plain data, or None."""
    for part in path:
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list | tuple) and isinstance(part, int) and -len(data) <= part < len(data):
            data = data[part]
        else:
            return None
    return data
