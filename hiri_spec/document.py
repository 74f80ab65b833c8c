"""YAML text → plain data that knows the file and line of every value. Nothing but plain data is ever constructed."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from .errors import Path, Problem, SpecError, format_path

MAX_BYTES = 1_000_000
MAX_VALUES = 100_000
MAX_NESTING = 64


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written."""

    file: str
    line: int | None = None


@dataclass(slots=True)
class Document:
    """Plain data, the origin of each value by its path, and the tree that keeps comments for writing it back."""

    data: Any
    origins: dict[Path, Origin]
    file: str
    tree: Any = field(default=None, repr=False)

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


def yaml_writer() -> YAML:
    """A YAML 1.2 reader and writer that refuses duplicate keys and keeps comments and layout."""
    yaml = YAML(typ="rt", pure=True)
    yaml.allow_duplicate_keys = False
    yaml.preserve_quotes = True
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def parse(text: str, file: str) -> Document:
    """Read YAML text; raises SpecError with file and line for anything that is not plain, bounded YAML 1.2."""
    if len(text) > MAX_BYTES:
        message = f"{len(text):,} characters; a spec has at most {MAX_BYTES:,}"
        raise SpecError(Problem(message, file=file, code="too_large"))
    try:
        tree = yaml_writer().load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problem = str(error.problem).splitlines()[0].split(" with value")[0]
        message = f"{problem} stands twice in one mapping; remove one of the two"
        raise SpecError(Problem(message, file=file, line=line, code="duplicate_key")) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "unreadable"
        message = f"not valid YAML: {what.strip()}; check indentation, quotes, brackets and colons on this line"
        raise SpecError(Problem(message, file=file, line=mark.line + 1 if mark else None, code="not_yaml")) from None
    except (YAMLError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SpecError(Problem(f"not valid YAML: {reason}", file=file, code="not_yaml")) from None
    except RecursionError:
        raise SpecError(Problem("nested too deeply to read", file=file, code="too_deep")) from None
    document = Document(None, {}, file, tree)
    document.data = _plain(tree, (), Origin(file, 1), document)
    return document


def parse_value(text: str) -> Any:
    """Read one YAML value, as it stands behind `--set path=`."""
    return parse(text, "--set").data


def _plain(value: Any, path: Path, origin: Origin, document: Document) -> Any:
    """Copy to plain data and note origins; aliases are expanded, within a bound on the number of values."""
    document.origins[path] = origin
    if len(document.origins) > MAX_VALUES:
        raise document.error(
            path, f"more than {MAX_VALUES:,} values once aliases are expanded; write fewer aliases", "too_many_values"
        )
    if len(path) > MAX_NESTING:
        message = f"nested more than {MAX_NESTING} levels deep; does an alias contain itself?"
        raise document.error(path, message, "too_deep")
    if isinstance(value, CommentedMap):
        _refuse_tag(value, path, document)
        plain: dict[str, Any] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise document.error(path, f"the key {key!r} is not text; put it in quotes", "key_not_text")
            place = Origin(origin.file, value.lc.key(key)[0] + 1) if key in (value.lc.data or ()) else origin
            plain[str(key)] = _plain(item, (*path, str(key)), place, document)
        return plain
    if isinstance(value, CommentedSeq):
        _refuse_tag(value, path, document)
        lines = value.lc.data or {}
        return [
            _plain(item, (*path, i), Origin(origin.file, lines[i][0] + 1) if i in lines else origin, document)
            for i, item in enumerate(value)
        ]
    return _plain_scalar(value, path, document)


def _refuse_tag(value: Any, path: Path, document: Document) -> None:
    tag = getattr(value, "tag", None)
    name = getattr(tag, "value", tag)
    if name and str(name) not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
        raise document.error(path, f"the tag {name} is not allowed; a spec holds plain data only", "tag")


def _plain_scalar(value: Any, path: Path, document: Document) -> Any:
    if isinstance(value, TaggedScalar):
        raise document.error(path, f"the tag {value.tag.value} is not allowed; a spec holds plain data only", "tag")
    if isinstance(value, bool | ScalarBoolean):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise document.error(path, f"{float(value)} is not a finite number", "not_finite")
        return float(value)
    if isinstance(value, str):
        return str(value)
    if value is None:
        return None
    raise document.error(path, f"{value} reads as a {type(value).__name__}; put it in quotes", "not_plain")


def to_text(tree: Any) -> str:
    """Write a tree, with its comments, as YAML text."""
    stream = io.StringIO()
    yaml_writer().dump(tree, stream)
    # ruamel writes a list in a list as "-   - a"; the language's form is "- - a"
    return re.sub(
        r"^( *)-   (- .*\n)((?:\1    - .*\n)*)",
        lambda match: match[1] + "- " + match[2] + match[3].replace(match[1] + "    - ", match[1] + "  - "),
        stream.getvalue(),
        flags=re.MULTILINE,
    )


def get(data: Any, path: Path) -> Any:
    """Value at a path of plain data, or None."""
    for part in path:
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and -len(data) <= part < len(data):
            data = data[part]
        else:
            return None
    return data
