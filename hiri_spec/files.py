"""Loading and saving specs: paths and built-in names, `extends`, `set`, and the light YAML form."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from .block import Part, fields_of
from .document import Document, Origin, parse, parse_value, to_text
from .errors import Path, Problem, SpecError, format_path, suggest
from .messages import explain
from .schema import ModelSpec

SpecLike = ModelSpec | Mapping[str, Any] | str | os.PathLike[str]

_PACKAGE = FilePath(__file__).resolve().parent
SPECS = _PACKAGE / "specs" if (_PACKAGE / "specs").is_dir() else _PACKAGE.parent / "specs"
"""Folder of the built-in specs: inside the package once installed, beside it in a checkout."""


def builtin_specs() -> dict[str, FilePath]:
    """The built-in specs by name."""
    return {path.stem: path for path in sorted(SPECS.rglob("*.yaml")) if "spaces" not in path.parts}


def load(path_or_name: str | os.PathLike[str], *, set: Mapping[str, Any] | None = None) -> ModelSpec:
    """Load a spec from a YAML file or by a built-in name such as "hiri_s"; `set` changes values by dotted path.

    Raises SpecError, with file, line and path, for whatever is wrong with it.
    """
    document = load_document(path_or_name, set=set)
    spec = validate(document)
    if document.tree is not None:
        spec._document = document
    return spec


def as_spec(spec: SpecLike, *, set: Mapping[str, Any] | None = None) -> ModelSpec:
    """A ModelSpec from anything that stands for one: itself, a path, a built-in name, a dict."""
    if isinstance(spec, ModelSpec):
        if not set:
            return spec
        document = Document(to_data(spec), {}, spec.name)
    elif isinstance(spec, Mapping):
        document = _extended(Document(dict(spec), {}, ""), ())
    else:
        return load(spec, set=set)
    apply_set(document, set)
    return validate(document)


def validate(document: Document) -> ModelSpec:
    """Plain data → ModelSpec; raises SpecError that points into the document."""
    if not isinstance(document.data, Mapping):
        raise document.error((), "a spec is a mapping with name, stem and stages", "not_a_mapping")
    try:
        return ModelSpec.model_validate(document.data)
    except ValidationError as error:
        raise explain(error, document) from None


def load_document(path_or_name: str | os.PathLike[str], *, set: Mapping[str, Any] | None = None) -> Document:
    """Read a spec or a space as plain data, with `extends`, its own `set` and the given one applied."""
    path = find(path_or_name)
    document = _extended(_read(path, os.fspath(path_or_name) if path.exists() else str(path)), (path.resolve(),))
    apply_set(document, set)
    return document


def find(path_or_name: str | os.PathLike[str]) -> FilePath:
    """The file that a path or a built-in name stands for; raises SpecError with the nearest names."""
    text = os.fspath(path_or_name)
    builtin = builtin_specs()
    if text in builtin:
        return builtin[text]
    path = FilePath(text)
    with suppress(OSError, ValueError):
        if path.exists():
            return path
    if path.suffix or os.sep in text:
        siblings = [str(other) for other in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
        hint = suggest(text, siblings or builtin)
        raise SpecError(Problem(f"no such file; {hint}", file=text, code="no_file"))
    raise SpecError(Problem(f"{text!r} is no file and no built-in spec; {suggest(text, builtin)}", code="no_file"))


def _read(path: FilePath, shown: str) -> Document:
    try:
        text = path.read_text(encoding="utf-8")
    except IsADirectoryError:
        raise SpecError(Problem("is a folder; name a YAML file in it", file=shown, code="not_a_file")) from None
    except UnicodeDecodeError:
        raise SpecError(Problem("is not UTF-8 text; is it a YAML file?", file=shown, code="not_yaml")) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError(Problem(f"cannot be read: {reason}", file=shown, code="unreadable")) from None
    return parse(text, shown if shown else str(path))


def _extended(document: Document, chain: tuple[FilePath, ...]) -> Document:
    """Resolve `extends` and the document's own `set`."""
    data = document.data
    if not isinstance(data, Mapping) or not {"extends", "set"} & data.keys():
        return document
    own = {key: value for key, value in data.items() if key not in ("extends", "set")}
    changes = data.get("set") or {}
    if not isinstance(changes, Mapping):
        raise document.error(("set",), "must be a mapping of dotted paths to values, like stages.3.depth: 12")
    if data.get("extends") is None:
        merged = Document(own, dict(document.origins), document.file, document.tree)
    else:
        base = _base_of(document, chain)
        merged = Document({**base.data, **own}, dict(base.origins), document.file, document.tree)
        replaced = own.keys()
        merged.origins = {p: o for p, o in base.origins.items() if not p or p[0] not in replaced}
        merged.origins |= {p: o for p, o in document.origins.items() if not p or p[0] in replaced}
    for dotted, value in changes.items():
        origin = document.origin(("set", dotted))
        set_value(merged, dotted, value, origin)
    return merged


def _base_of(document: Document, chain: tuple[FilePath, ...]) -> Document:
    target = document.data["extends"]
    if not isinstance(target, str) or not target:
        raise document.error(("extends",), f"{target!r} is not a file or a built-in name")
    here = chain[-1].parent if chain else FilePath.cwd()
    path = here / target
    if not path.is_file() and target in builtin_specs():
        path = builtin_specs()[target]
    resolved = path.resolve()
    roots = [SPECS.resolve(), FilePath.cwd().resolve(), *(link.parent for link in chain[:1])]
    if not any(resolved.is_relative_to(root) for root in roots):
        raise document.error(
            ("extends",),
            f"{target!r} leads to {resolved}, outside the folders that a spec may read "
            "(its own, the current one, the built-in specs); copy that file beside this one",
            "outside",
        )
    if resolved in chain:
        circle = " → ".join(link.name for link in (*chain[chain.index(resolved) :], resolved))
        raise document.error(("extends",), f"goes round in a circle: {circle}; let one of them stand alone", "cycle")
    if not resolved.is_file():
        known = [other.name for other in here.glob("*.yaml") if other not in chain] + list(builtin_specs())
        raise document.error(("extends",), f"{target!r} does not exist; {suggest(target, known)}", "no_file")
    shown = os.path.relpath(path) if path.is_relative_to(FilePath.cwd()) else str(path)
    base = _extended(_read(resolved, shown), (*chain, resolved))
    if not isinstance(base.data, Mapping):
        raise document.error(("extends",), f"{target!r} is not a spec: it holds no mapping")
    return base


def apply_set(document: Document, changes: Mapping[str, Any] | None) -> None:
    """Change values of a document by dotted path; values given as text are read as YAML when they come from `--set`."""
    for dotted, value in (changes or {}).items():
        set_value(document, dotted, value, Origin(f"--set {dotted}"))


def parse_assignments(assignments: list[str]) -> dict[str, Any]:
    """Read `stages.3.depth=12` as typed behind `--set`."""
    changes: dict[str, Any] = {}
    for text in assignments:
        dotted, equals, value = text.partition("=")
        if not equals or not dotted.strip():
            raise SpecError(Problem(f"{text!r} sets nothing; write PATH=VALUE, like stages.3.depth=12", "--set"))
        changes[dotted.strip()] = parse_value(value)
    return changes


def parse_path(dotted: str) -> Path:
    """Read `stages.3.depth` or `stages[3].depth`."""
    parts = dotted.replace("[", ".").replace("]", "").split(".")
    return tuple(int(part) if part.lstrip("-").isdigit() else part for part in parts)


def set_value(document: Document, dotted: str, value: Any, origin: Origin) -> None:
    """Set one value of a document, in data, origins and tree; raises SpecError where the path leads nowhere."""
    path = parse_path(dotted)

    def fail(message: str) -> SpecError:
        return SpecError(Problem(message, dotted, origin.file, origin.line, "no_such_path"))

    place = document.data = _copied_value(document.data)
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if isinstance(place, list):
            where = format_path(path[:depth]) or "the spec"
            if not isinstance(part, int):
                raise fail(f"{where} is a list; name an item by its number, 0 to {len(place) - 1}")
            if not -len(place) <= part < len(place):
                raise fail(f"{where} has {len(place)} items, 0 to {len(place) - 1}; there is no {part}")
        elif not isinstance(place, dict):
            raise fail(f"{format_path(path[:depth])} is {place!r}, with nothing inside; write it as a mapping first")
        elif not isinstance(part, str) or not part:
            raise fail(f"{format_path(path[:depth]) or 'the spec'} is a mapping; name a field of it")
        elif not last and part not in place:
            raise fail(f"{format_path(path[: depth + 1])} is not there; {suggest(part, place)}")
        if last:
            place[part] = value
        else:
            place[part] = _copied_value(place[part])
            place = place[part]
    document.origins = {p: o for p, o in document.origins.items() if p[: len(path)] != path}
    document.origins[path] = origin
    _set_in_tree(document, path, value)


def _copied_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, list | tuple) else value


def _set_in_tree(document: Document, path: Path, value: Any) -> None:
    """Keep the tree of comments in step; a document that `extends` is written out anew instead."""
    tree = document.tree
    if tree is None or "extends" in tree or "set" in tree:
        document.tree = None
        return
    for part in path[:-1]:
        tree = tree[part]
    tree[path[-1]] = value


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
    """The YAML text of a spec; one loaded from a file and unchanged since keeps its comments."""
    document = spec._document
    if document is not None and document.tree is not None and not {"extends", "set"} & document.tree.keys():
        with suppress(SpecError):
            text = to_text(document.tree)
            if validate(parse(text, document.file)) == spec:
                return text
    tree = CommentedMap(to_data(spec))
    tree["stages"] = CommentedSeq([_flow(stage) for stage in tree["stages"]])
    for key in ("stem", "head", "resolution"):
        if key in tree and isinstance(tree[key], dict | list):
            tree[key] = _flow(tree[key])
    return to_text(tree)


def _flow(value: Any) -> Any:
    if isinstance(value, list):
        sequence = CommentedSeq([_flow(item) for item in value])
        if not any(isinstance(item, dict) for item in value):
            sequence.fa.set_flow_style()
        return sequence
    if not isinstance(value, dict):
        return value
    mapping = CommentedMap({key: _flow(item) for key, item in value.items()})
    mapping.fa.set_flow_style()
    return mapping


def save(spec: SpecLike, path: str | os.PathLike[str]) -> None:
    """Write a spec as YAML, whole or not at all; raises SpecError where the place can't be written."""
    write_text(path, to_yaml(as_spec(spec)))


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file whole or not at all; raises SpecError where the place can't be written."""
    target = FilePath(path)
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as stream:
            temporary = FilePath(stream.name)
            try:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError(Problem(f"cannot be written: {reason}", file=str(path), code="unwritable")) from None
