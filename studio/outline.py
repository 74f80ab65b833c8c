"""Where the cursor stands in YAML that is being typed: in which mapping, at a key or at a value.

A text with a key half typed or a bracket still open is no YAML, so this reads it line by line and forgives everything:
what it can't make sense of is left out. It knows block and flow style, quotes and comments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from hiri_spec.document import MAX_NESTING, resolve
from hiri_spec.errors import Path

_QUOTED = r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'"""
_KEY = re.compile(rf"({_QUOTED}|[^\s#?{{}}\[\],&*!|>'\"%@`][^:#{{}}\[\],\n]*+)[ \t]*:(?=\s|$)")
_SCALAR = re.compile(rf"{_QUOTED}|(?:[^\s#]|(?<=\S)#)(?:[^\n#]|(?<=\S)#)*")
_FLOW_SCALAR = re.compile(rf"{_QUOTED}|(?:[^,\[\]{{}}:#\n]|(?<=\S)#|:(?![\s,\[\]{{}}]|$))+")
_BEFORE_VALUE = re.compile(r"[ \t]*(?:[&!]\S*[ \t]+)?")
_SPACES = re.compile(r"[ \t]*")

ELSEWHERE: Path = ("?",)
"""Path of what stands where nothing can stand."""
Role = Literal["key", "value", "inside", "item"]


@dataclass(frozen=True, slots=True)
class Spot:
    """What is being typed, with the indices of the word there, and the whole text's data as far as it can be read.

    A key of the mapping at `path`, the value at `path`, the item at `path` of a list in brackets, or what begins
    `inside` an empty value at `path`, be it a mapping or a list. `needs_dash`: an item whose dash isn't written;
    `is_flow`: a key in brackets.
    """

    role: Role
    path: Path
    start: int
    end: int
    data: Any
    needs_dash: bool = False
    is_flow: bool = False


def find_spot(text: str, offset: int) -> Spot | None:
    """What is being typed at an index of a text; None in comments, between values, and where nothing can stand."""
    return _Outline(text, offset).read()


@dataclass(slots=True)
class _Frame:
    """A mapping or a list in block style that is still open, and the column where its keys or dashes stand."""

    content: Any
    path: Path
    column: int
    slot: str | int | None = None
    """The key or the item that waits for a value."""

    def open_slot(self) -> Path:
        """Path of what waits for a value; that of the whole text is empty."""
        return self.path if self.column < 0 else (*self.path, self.slot)  # type: ignore[arg-type]


class _Outline:
    """One reading of a text."""

    def __init__(self, text: str, offset: int) -> None:
        self._text = text
        self._offset = offset
        self._whole: dict[str, Any] = {"": None}
        self._frames = [_Frame(self._whole, (), -1, "")]
        self._found: Spot | None = None
        self._is_cut_off = False
        """Whether a bracket was found to be closed nowhere."""

    def read(self) -> Spot | None:
        position = 0
        while position <= len(self._text):
            position = self._read_line(position)
        return self._found and replace(self._found, data=self._whole[""])

    def _note(
        self, role: Role, path: Path, start: int, end: int, *, begin: int | None = None, is_flow: bool = False
    ) -> None:
        """Remember the word from `start` to `end` if the cursor is at it, or where it would stand, from `begin` on."""
        if (begin if begin is not None and start == end else start) <= self._offset <= end:
            start, end = (start, end) if start < end else (self._offset, self._offset)
            self._found = Spot(role, path, start, end, None, is_flow=is_flow)

    def _read_line(self, position: int) -> int:
        """Read a line, with what its brackets hold, and return where the next one begins."""
        text = self._text
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        index = _end(_SPACES, text, position)
        while text[index : index + 1] == "-" and text[index + 1 : index + 2] in ("", " ", "\t", "\n", "\r"):
            self._read_dash(index - position)
            index = _end(_BEFORE_VALUE, text, index + 1)
        if not text[index:end].strip() or (text.startswith(("---", "%", "..."), index) and index == position):
            if index <= self._offset <= end or position <= self._offset <= index == end:
                self._begin_here(self._offset - position, self._offset, self._offset)
            return end + 1
        if text[index] in "#:":  # a comment, or a value whose key is gone
            if text[index] == ":" and index == self._offset:
                self._begin_here(index - position, index, index)
            return end + 1
        key = _KEY.match(text, index, end)
        if key:
            word = key[1].rstrip()
            frame = self._read_key(index - position, _bare(word))
            self._note("key", frame.path, index, index + len(word))
            begin, index = key.end(), _end(_BEFORE_VALUE, text, key.end())
        else:
            frame, begin = self._waiting(index - position), index
        return self._read_value(frame, position, begin, index, end, is_bare=not key)

    def _read_value(self, frame: _Frame, position: int, begin: int, index: int, end: int, *, is_bare: bool) -> int:
        """What stands behind a key or a dash, or on a line of its own."""
        text = self._text
        path = ELSEWHERE if frame.slot is None else frame.open_slot()
        if text[index : index + 1] in ("{", "["):
            indent = _end(_SPACES, text, position) - position
            value, index = self._read_flow(index, path, indent, 1)
            self._is_cut_off = False
            self._fill(frame, value)
            next_line = text.find("\n", index)
            return len(text) + 1 if next_line < 0 else next_line + 1
        if text[index : index + 1] in ("|", ">"):
            self._fill(frame, "")
            return self._behind_deeper_lines(end + 1, frame.column)
        scalar = _SCALAR.match(text, index, end)
        word_end = index + len(scalar[0].rstrip()) if scalar else index
        if is_bare:
            if index <= self._offset <= word_end:
                self._begin_here(index - position, index, word_end)
        else:
            self._note("value", path, index, word_end, begin=begin)
        if scalar:
            self._fill(frame, _value(scalar[0]))
        return end + 1

    def _read_dash(self, column: int) -> None:
        frames = self._frames
        while frames[-1].column > column:
            frames.pop()
        top = frames[-1]
        if not isinstance(top.content, list) or top.column != column:
            self._open([], column)
            top = frames[-1]
        top.content.append(None)
        top.slot = len(top.content) - 1

    def _read_key(self, column: int, key: str) -> _Frame:
        frames = self._frames
        while frames[-1].column > column or (frames[-1].column == column and isinstance(frames[-1].content, list)):
            frames.pop()
        if frames[-1].column != column:
            self._open({}, column)
        frames[-1].content[key] = None
        frames[-1].slot = key
        return frames[-1]

    def _open(self, content: Any, column: int) -> None:
        """Begin a mapping or a list where a value is waited for."""
        top = self._frames[-1]
        path = ELSEWHERE if top.slot is None or len(top.path) >= MAX_NESTING else top.open_slot()
        self._fill(top, content)
        self._frames.append(_Frame(content, path, column))

    def _fill(self, frame: _Frame, value: Any) -> None:
        if frame.slot is not None:
            frame.content[frame.slot] = value
            frame.slot = None

    def _waiting(self, column: int) -> _Frame:
        """The innermost mapping or list left of a column."""
        return next(frame for frame in reversed(self._frames) if frame.column < column)

    def _begin_here(self, column: int, start: int, end: int) -> None:
        """A word without a colon, or none yet, at a column: what it may become by what is open there."""
        for frame in reversed(self._frames):
            if frame.column == column and isinstance(frame.content, dict):
                self._found = Spot("key", frame.path, start, end, None)
                return
            if frame.column == column:
                # the mapping around may have its keys at the same column; a word without a dash is rather one of them
                self._found = Spot("inside", (*frame.path, len(frame.content)), start, end, None, needs_dash=True)
            elif frame.column < column:
                if self._found is None and frame.slot is not None:
                    self._found = Spot("inside", frame.open_slot(), start, end, None)
                return

    def _behind_deeper_lines(self, position: int, column: int) -> int:
        """Where the first line begins that is not part of a text in lines below a key."""
        text = self._text
        while position <= len(text):
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            first = _end(_SPACES, text, position)
            if first < end and first - position <= column:
                return position
            position = end + 1
        return position

    def _read_flow(self, index: int, path: Path, indent: int, depth: int) -> tuple[Any, int]:
        """Read what stands in brackets; `indent` is that of the line where the outermost bracket opens."""
        text = self._text
        content: Any = {} if text[index] == "{" else []
        index += 1
        is_free = True  # nothing stands yet since the bracket or the last comma
        while not self._is_cut_off:
            begin, index = index, self._behind_gap(index, indent)
            here: Path = path if isinstance(content, dict) else (*path, len(content))
            letter = text[index : index + 1]
            if self._is_cut_off or letter in (",", "}", "]", ":", ""):
                if is_free:
                    role: Role = "key" if isinstance(content, dict) else "item"
                    self._note(role, here, index, index, begin=begin, is_flow=True)
                if letter not in (",", ":") or self._is_cut_off:
                    return content, index + 1 if letter and not self._is_cut_off else index
                index += 1
                is_free = letter == ","
                continue
            is_free = False
            if letter in ("{", "["):
                value, index = self._nested(index, here if isinstance(content, list) else ELSEWHERE, indent, depth)
                if isinstance(content, list):
                    content.append(value)
            else:
                index = self._read_flow_entry(content, index, here, indent, depth)
        return content, index

    def _read_flow_entry(self, content: Any, index: int, path: Path, indent: int, depth: int) -> int:
        """One item of a list, or a key with its value, in brackets."""
        text = self._text
        word = _FLOW_SCALAR.match(text, index)
        if word is None:  # a stray sign
            return index + 1
        word_end = index + len(word[0].rstrip())
        if isinstance(content, list):
            self._note("item", path, index, word_end)
            content.append(_value(word[0]))
            return word.end()
        self._note("key", path, index, word_end, is_flow=True)
        colon = _end(_SPACES, text, word.end())
        if text[colon : colon + 1] != ":":
            return word.end()
        key = _bare(word[0].rstrip())
        content[key] = None
        index = _end(_BEFORE_VALUE, text, colon + 1)
        if text[index : index + 1] in ("{", "["):
            content[key], index = self._nested(index, (*path, key), indent, depth)
            return index
        value = _FLOW_SCALAR.match(text, index)
        value_end = index + len(value[0].rstrip()) if value else index
        self._note("value", (*path, key), index, value_end, begin=colon + 1)
        if value:
            content[key] = _value(value[0])
        return value.end() if value else index

    def _nested(self, index: int, path: Path, indent: int, depth: int) -> tuple[Any, int]:
        if depth >= MAX_NESTING:
            self._is_cut_off = True
            return None, index + 1
        return self._read_flow(index, path, indent, depth + 1)

    def _behind_gap(self, index: int, indent: int) -> int:
        """Skip blanks, line ends and comments; a line that isn't indented deeper shows that a bracket was left open."""
        text = self._text
        while True:
            index = _end(_SPACES, text, index)
            if text[index : index + 1] == "#" and text[index - 1 : index] in (" ", "\t", "\n"):
                index = text.find("\n", index)
                index = len(text) if index < 0 else index
            if text[index : index + 1] not in ("\n", "\r"):
                return index
            line = index + 1
            first = _end(_SPACES, text, line)
            is_blank = text[first : first + 1] in ("", "\n", "\r", "#")
            if not is_blank and first - line <= indent and text[first] not in "}]":
                self._is_cut_off = True
                return index
            index = line


def _end(pattern: re.Pattern[str], text: str, index: int) -> int:
    """Where a pattern that matches everywhere ends."""
    match = pattern.match(text, index)
    return match.end() if match else index


def _bare(word: str) -> str:
    """A key without its quotes."""
    return word[1:-1] if word[:1] in ("'", '"') and word[-1:] == word[:1] and len(word) > 1 else word


def _value(word: str) -> Any:
    word = word.rstrip()
    return _bare(word) if word[:1] in ("'", '"') else resolve(word)
