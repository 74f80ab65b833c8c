"""Specs → YAML in the light form of the language, or their own file with nothing but the changes in it changed."""

from __future__ import annotations

import errno
import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path as FilePath
from typing import Any

from .block import Part, fields_of
from .document import Node, parse, read_nodes, resolve
from .errors import Path, Problem, SpecError, show
from .messages import validate
from .schema import ModelSpec

_PLAIN = re.compile(r"[^\W_][\w .;()/+*=%-]*(?<! )")
"""Text that needs no quotes anywhere, as long as it doesn't read as a number or the like."""


def to_data(spec: ModelSpec) -> dict[str, Any]:
    """The light form of a spec as plain data: defaults left out, one-run stages as mappings."""
    data: dict[str, Any] = {"name": spec.name}
    for name, field in ModelSpec.model_fields.items():
        value = getattr(spec, name)
        if name in ("name", "stem", "stages", "head") or value == field.default:
            continue
        data[name] = _light(value)
    data["stem"] = part_data(spec.stem)
    stages = [[part_data(run) for run in stage] for stage in spec.stages]
    data["stages"] = [stage[0] if len(stage) == 1 else stage for stage in stages]
    data["head"] = {"classes": spec.head.classes, **part_data(spec.head)}
    return data


def part_data(part: Part) -> dict[str, Any]:
    """The light form of one part: its key, then every field that differs from its default."""
    data: dict[str, Any] = {part.key: getattr(part, part.key)}
    if part.key == "head" and data["head"] == "classifier":
        data = {}
    fields = type(part).model_fields
    first = [name for name in ("depth", "width") if name in fields]
    shared = [name for name in fields_of(type(part).__mro__[1]) if name not in first and name != part.key]
    own = [name for name in fields if name not in first and name not in shared]
    for name in [*first, *own, *shared]:
        field, value = fields[name], getattr(part, name)
        if name == part.key or (not field.is_required() and value == field.default):
            continue
        if isinstance(value, Part):
            nested = part_data(value)
            value = nested[value.key] if len(nested) == 1 else nested
        data[name] = _light(value)
    return data


def _light(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_light(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def to_yaml(spec: ModelSpec) -> str:
    """The YAML text of a spec; one loaded from a file keeps its text and comments but for the values set since."""
    text = _edited_source(spec)
    if text is not None:
        return text
    lines = []
    for key, value in to_data(spec).items():
        written = f"\n  {block_text(value, 2)}" if key == "stages" else f" {flow_text(value)}"
        lines.append(f"{key}:{written}\n")
    return "".join(lines)


def flow_text(value: Any) -> str:
    """One line of YAML for any plain data."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow_text, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.isprintable() and resolve(value) == value:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in quoted)


def block_text(items: Sequence[Any], column: int) -> str:
    """A list with an item a line, of which the first begins at a column; lists of mappings in it are written alike."""
    written = [
        block_text(item, column + 2)
        if isinstance(item, list) and any(isinstance(each, dict | list) for each in item)
        else flow_text(item)
        for item in items
    ]
    return ("\n" + " " * column).join(f"- {item}" for item in written)


def _edited_source(spec: ModelSpec) -> str | None:
    """The text that a spec was read from with its changes worked in; None if that would not read as the spec."""
    document = spec._document
    if document is None or document.text is None:
        return None
    text = document.text
    with suppress(SpecError):
        for path, value in document.edits:
            text = edit_text(text, path, value)
        if validate(parse(text, document.file)) == spec:
            return str(text)
    return None


def edit_text(text: str, path: Path, value: Any) -> str:
    """Change or add one value in YAML text and leave every other character as it is."""
    *parents, name = path
    node = read_nodes(text, "")
    for part in parents:
        node = node.content[part]
    inside: Any = node.content
    if isinstance(inside, list) or name in inside:
        key: Any = name
        old: Node = inside[key]
        in_block = not old.is_flow and isinstance(value, list)
        written = block_text(value, _column(text, old.start)) if in_block else flow_text(value)
        return text[: old.start] + " " * (old.start == old.end) + written + text[old.end :]
    entry = f"{name}: {flow_text(value)}"
    end = max((item.end for item in inside.values()), default=node.end - 1)
    if node.is_flow:
        return text[:end] + ", " * bool(inside) + entry + text[end:]
    end = len(text) if (line_end := text.find("\n", end)) < 0 else line_end
    return text[:end] + "\n" + " " * _column(text, node.start) + entry + text[end:]


def _column(text: str, index: int) -> int:
    return index - text.rfind("\n", 0, index) - 1


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file whole or not at all; raises SpecError where the place can't be written."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file whole or not at all; raises SpecError where the place can't be written."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[FilePath]:
    """A temporary file to write that takes the place of another when the `with` ends, or is gone if that fails.

    A device or a pipe is itself the file to write. Raises SpecError where the place can't be written.
    """
    if not isinstance(path, str | os.PathLike):
        raise SpecError(Problem(f"{show(path)} is no path to write to; give one", code="unwritable"))
    try:
        target = FilePath(os.path.realpath(path))
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not target.is_file():
            yield target
        else:
            yield from _written_beside(target)
    except SpecError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot be written: {reason}; choose another place"
        raise SpecError(Problem(message, file=os.fspath(path), code="unwritable")) from None


def _written_beside(target: FilePath) -> Iterator[FilePath]:
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".hiri-spec-")
    temporary = FilePath(name)
    try:
        os.close(descriptor)
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def make_folder(folder: FilePath) -> None:
    """Make the folder of --out; raises SpecError where it can't be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError(Problem(f"{folder} cannot be made: {reason}; choose another folder", "--out")) from None
