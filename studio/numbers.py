"""The number under the cursor, and the numbers that may stand in its place, for a slider.

Nothing here knows fields by name: bounds come from the JSON Schema, and what else must hold, such as heads that divide
a width, from validating the spec with each number put in.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path as FilePath
from typing import Any

from hiri_spec.document import Document, Node, get, read_nodes, resolve
from hiri_spec.errors import Path, Problem, SpecError, format_path
from hiri_spec.files import parse_path, text_document
from hiri_spec.messages import FAMILIES, validate
from hiri_spec.saving import flow_text

from .fields import Schema, schemas_at

MAX_SINGLE_STEPS = 32
"""Whole numbers up to here go up by one."""
MIN_CHOICES = 12
MAX_CHARACTERS = 10_000
"""A longer text takes too long to be read at each move of the cursor."""
MAX_VALUES = 500
"""A spec of more values takes too long to be validated for each choice."""
MAX_MISTAKES = 10
"""A spec of more mistakes takes too long to be told each of them for each choice."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text, from `start` to `end`, what it is called, and the legal ones around it, itself included.

    `around` stands for the spec without the number: while that is the same, so are the numbers that are legal.
    """

    path: str
    label: str
    value: int | float
    choices: tuple[int | float, ...]
    start: int
    end: int
    around: str


def number_at(
    text: str,
    offset: int,
    *,
    file: FilePath = FilePath("spec.yaml"),
    roots: Sequence[FilePath] = (),
    shown: Number | None = None,
) -> Number | None:
    """The number that the cursor is in, or whose key it is in; None if there is none, or the text can't be read.

    A choice is legal if the spec with it has no mistake that it hasn't now. `file` and `roots` are as in `analyse`.
    While it is the number that is `shown`, in the same spec, the choices stay, so that a slider keeps still. A text
    that is too large to be followed has no numbers, and one of too many mistakes no choices.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        nodes = read_nodes(text, "")
        # first, for it refuses what aliases make too large
        document = text_document(text, file=file, roots=roots, nodes=nodes)
    except SpecError:  # which the page shows as a mark
        return None
    if len(document.origins) > MAX_VALUES:
        return None
    found = _find(nodes, offset, (), None, set())
    if found is None or not found[0]:
        return None
    written, node = found
    path = _meant(written, document)
    value = node.content
    if get(document.data, path) != value or resolve(text[node.start : node.end]) != value:
        return None
    forms = [form for form in schemas_at(path, document.data) if form.get("type") in ("integer", "number")]
    if not forms:
        return None
    name = format_path(path)
    around = sha256(json.dumps(_with(document.data, path, None)).encode()).hexdigest()
    if shown is not None and (shown.path, shown.around) == (name, around) and value in shown.choices:
        choices = shown.choices
    else:
        choices = tuple(_legal(document, path, value, _candidates(value, forms)))
    return Number(name, _label(path, document.data), value, choices, node.start, node.end, around)


def replace_number(text: str, number: Number, value: int | float) -> str:
    """The text with another number in its place; raises SpecError if the text has changed since it was found."""
    if resolve(text[number.start : number.end]) != number.value:
        raise SpecError(Problem("is no longer where it was; put the cursor on it again", number.path, code="changed"))
    return text[: number.start] + flow_text(value) + text[number.end :]


def _find(node: Node, offset: int, path: Path, key: Node | None, seen: set[int]) -> tuple[Path, Node] | None:
    """The number at an index, and its path as it is written. What aliases repeat is `seen` where it is written."""
    if isinstance(node.content, dict | list):
        if id(node.content) in seen:
            return None
        seen.add(id(node.content))
    if isinstance(node.content, dict):
        inside: Any = ((name, item, node.keys[name]) for name, item in node.content.items())
    elif isinstance(node.content, list):
        inside = ((index, item, None) for index, item in enumerate(node.content))
    else:
        is_number = isinstance(node.content, int | float) and not isinstance(node.content, bool)
        is_here = node.start <= offset <= node.end or (key is not None and key.start <= offset <= node.end)
        return (path, node) if is_number and is_here else None
    return next(
        (found for part, item, its_key in inside if (found := _find(item, offset, (*path, part), its_key, seen))), None
    )


def _meant(path: Path, document: Document) -> Path:
    """Where a number ends up: what `set` holds, where its dotted path leads."""
    if path[:1] != ("set",) or len(path) == 1:
        return path
    place: list[str | int] = []
    for part in (*parse_path(str(path[1])), *path[2:]):
        here = get(document.data, tuple(place))
        place.append(part % len(here) if isinstance(part, int) and isinstance(here, list) and here else part)
    return tuple(place)


def _label(path: Path, data: Any) -> str:
    """What a number is called: its field, the part that it belongs to, and where that stands."""
    *around, name = path
    if isinstance(name, int):
        return f"{format_path(tuple(around))}, {('height', 'width')[name % 2]}"
    part = get(data, tuple(around))
    names = [part[key] for key in FAMILIES if isinstance(part.get(key), str)]
    return " ".join([name, *(["of", format_path(tuple(around)), *names[:1]] if around else [])])


def _candidates(value: int | float, forms: list[Schema]) -> Iterator[list[int | float]]:
    """Numbers around a value, in ever smaller steps."""
    fixed = [choice for form in forms for choice in form.get("enum", ())]
    if fixed:
        yield sorted(fixed)
        return
    low = min(form.get("minimum", form.get("exclusiveMinimum", -math.inf)) for form in forms)
    high = max(form.get("maximum", form.get("exclusiveMaximum", math.inf)) for form in forms)
    is_whole = all(form["type"] == "integer" for form in forms)
    if is_whole and abs(value) <= MAX_SINGLE_STEPS:
        yield list(range(math.ceil(max(low, 1 - MAX_SINGLE_STEPS)), math.floor(min(high, max(16, 2 * value))) + 1))
    elif is_whole or value > MAX_SINGLE_STEPS:
        first, last = max(low, value // 4), min(high, 2 * value)
        step = 2 ** max(0, int(value // 8).bit_length() - 1)
        while step:
            yield [step * count for count in range(math.ceil(first / step), math.floor(last / step) + 1)]
            step //= 2
    elif high <= 1:
        yield [count / 20 for count in range(math.ceil(low * 20), math.floor(high * 20) + 1)]
    elif value >= 1:
        yield [_plain(count / 2) for count in range(math.ceil(low * 2), 2 * math.ceil(max(8, 2 * value)) + 1)]
    elif value >= 0.1:
        yield [_plain(count / 20) for count in range(math.ceil(low * 20), 41)]
    else:
        yield [_plain(float(f"{value:e}".partition("e")[0] + f"e{_exponent(value) + more}")) for more in range(-3, 4)]


def _exponent(value: int | float) -> int:
    return int(f"{value:e}".partition("e")[2])


def _plain(value: float) -> int | float:
    return int(value) if value.is_integer() else value


def _legal(
    document: Document, path: Path, value: int | float, candidates: Iterator[list[int | float]]
) -> list[int | float]:
    """The candidates that make no mistake, of the largest steps that leave enough of them."""
    now = _mistakes(document, path, value)
    known: dict[int | float, bool] = {value: True}
    legal: list[int | float] = [value]
    if len(now) > MAX_MISTAKES:
        return legal
    for numbers in candidates:
        for number in numbers:
            if number not in known:
                known[number] = _mistakes(document, path, number) <= now
        legal = sorted({value, *(number for number in numbers if known[number])})
        if len(legal) >= MIN_CHOICES or len(known) > 8 * MIN_CHOICES:
            break
    return legal


def _mistakes(document: Document, path: Path, value: int | float) -> set[Problem]:
    """What is wrong with a spec that has a number at a path."""
    try:
        validate(Document(_with(document.data, path, value), {}, document.file))
    except SpecError as error:
        return set(error.problems)
    return set()


def _with(data: Any, path: Path, value: int | float | None) -> Any:
    """A copy of data with one value changed; what is not on the way to it is shared."""
    if not path:
        return value
    part, *rest = path
    copy: Any = dict(data) if isinstance(data, Mapping) else list(data)
    copy[part] = _with(data[part], tuple(rest), value)
    return copy
