"""Loading and saving specs: paths and built-in names, `extends`, `set`, and the light YAML form."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from .document import MAX_BYTES, Document, Node, Origin, as_document, parse
from .errors import Path, Problem, SpecError, show, suggest
from .messages import validate
from .saving import part_data, to_data, to_yaml, write_bytes, write_text
from .schema import ModelSpec
from .setting import Kind, apply_set, parse_assignments, parse_path, set_value

__all__ = [
    "SPECS",
    "Kind",
    "SpecLike",
    "as_spec",
    "builtin_specs",
    "find",
    "load",
    "load_document",
    "load_text",
    "parse_assignments",
    "parse_path",
    "part_data",
    "save",
    "text_document",
    "to_data",
    "to_yaml",
    "validate",
    "write_bytes",
    "write_text",
]

SpecLike = ModelSpec | Mapping[str, Any] | str | os.PathLike[str]

_PACKAGE = FilePath(__file__).resolve().parent
SPECS = _PACKAGE / "specs" if (_PACKAGE / "specs").is_dir() else _PACKAGE.parent / "specs"
"""Folder of the built-in specs: inside the package once installed, beside it in a checkout."""
NOT_SPECS = ("spaces", "recipes")
"""Folders in it whose files are something else."""


def builtin_specs() -> dict[str, FilePath]:
    """The built-in specs by name."""
    found = sorted(SPECS.rglob("*.yaml"), key=_place)
    return {path.stem: path for path in found if path.relative_to(SPECS).parts[0] not in NOT_SPECS}


def _place(path: FilePath) -> tuple[int, FilePath]:
    """HIRI-ViT's own before the other families and the ablations, which lie in folders."""
    return len(path.parts), path


SPEC = Kind("spec", builtin_specs, ("stem", "downsample", "head"), "stages.3.depth: 12")
MAX_BASES = 32
"""Files that extend one another, in a row."""


@dataclass(frozen=True, slots=True)
class Readable:
    """The folders that `extends` may read besides that of the built-in files, and what to call them in a message."""

    folders: tuple[FilePath, ...]
    description: str


def load(path_or_name: str | os.PathLike[str], *, set: Mapping[str, Any] | None = None) -> ModelSpec:
    """Load a spec from a YAML file or by a built-in name such as "hiri_s"; `set` changes values by dotted path.

    Raises SpecError, with file, line and path, for whatever is wrong with it.
    """
    document = load_document(path_or_name, set=set)
    spec = validate(document)
    spec._document = document
    return spec


def load_text(text: str, *, file: str | os.PathLike[str], roots: Sequence[FilePath]) -> ModelSpec:
    """Read a spec from text that belongs into a file, whether that is there or not; `extends` is resolved beside it.

    Nothing but the built-in specs and what lies in `roots` is read. Raises SpecError as `load` does.
    """
    document = text_document(text, file=file, roots=roots)
    spec = validate(document)
    spec._document = document
    return spec


def text_document(
    text: str, *, file: str | os.PathLike[str], roots: Sequence[FilePath], nodes: Node | None = None
) -> Document:
    """What `load_text` reads, as plain data, with `extends` and `set`. `nodes`: of the text, if it was read already."""
    shown = os.fspath(file)
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise _too_large(shown)
    readable = Readable(tuple(root.resolve() for root in roots), ", ".join(map(str, roots)) or "none")
    own = parse(text, shown) if nodes is None else as_document(nodes, text, shown)
    return _extended(own, (FilePath(file).resolve(),), SPEC, readable)


def as_spec(spec: SpecLike, *, set: Mapping[str, Any] | None = None) -> ModelSpec:
    """A ModelSpec from anything that stands for one: itself, a path, a built-in name, a dict."""
    if isinstance(spec, ModelSpec):
        if not set:
            return spec
        document = Document(to_data(spec), {}, spec.name)
    elif isinstance(spec, Mapping):
        document = _extended(Document(dict(spec), {}, ""), (), SPEC, _usual_folders(()))
    else:
        return load(spec, set=set)
    apply_set(document, set, SPEC)
    return validate(document)


def load_document(
    path_or_name: str | os.PathLike[str], *, set: Mapping[str, Any] | None = None, kind: Kind = SPEC
) -> Document:
    """Read a spec, a space or another kind of file as plain data, with `extends`, its own `set` and the given one."""
    path = find(path_or_name, kind)
    shown = os.fspath(path_or_name) if path.exists() else str(path)
    chain = (path.resolve(),)
    document = _extended(_read(path, shown), chain, kind, _usual_folders(chain))
    apply_set(document, set, kind)
    return document


def find(path_or_name: str | os.PathLike[str], kind: Kind = SPEC) -> FilePath:
    """The file that a path or a built-in name stands for; raises SpecError with the nearest names."""
    if not isinstance(path_or_name, str | os.PathLike):
        others = ", a dict or a ModelSpec" if kind is SPEC else ""
        message = f"{show(path_or_name)} is no {kind.noun}; give a path, a built-in name{others}"
        raise SpecError(Problem(message, code="not_a_spec"))
    text = os.fspath(path_or_name)
    builtin = kind.builtin()
    if text in builtin:
        return builtin[text]
    path = FilePath(text)
    siblings: list[str] = []
    with suppress(OSError, ValueError):
        if text and path.exists():
            return path
        siblings = [str(other) for other in path.parent.glob("*.yaml")]
    if path.suffix or os.sep in text:
        raise SpecError(Problem(f"no such file; {suggest(text, siblings or builtin)}", file=text, code="no_file"))
    hint = suggest(text, [*builtin, *siblings])
    raise SpecError(Problem(f"{show(text)} is no file and no built-in {kind.noun}; {hint}", code="no_file"))


def _read(path: FilePath, shown: str) -> Document:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _too_large(shown)
        text = content.decode("utf-8-sig")
    except IsADirectoryError:
        raise SpecError(Problem("is a folder; name a YAML file in it", file=shown, code="not_a_file")) from None
    except UnicodeDecodeError:
        raise SpecError(Problem("is not UTF-8 text; is it a YAML file?", file=shown, code="not_yaml")) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError(Problem(f"cannot be read: {reason}", file=shown, code="unreadable")) from None
    return parse(text, shown)


def _too_large(shown: str) -> SpecError:
    message = f"is larger than {MAX_BYTES:,} bytes, the most that a spec may have"
    return SpecError(Problem(message, file=shown, code="too_large"))


def _usual_folders(chain: tuple[FilePath, ...]) -> Readable:
    """What a file may read that the user named: its own folder and the current one."""
    return Readable((FilePath.cwd().resolve(), *(link.parent for link in chain)), "its own, the current one")


def _extended(document: Document, chain: tuple[FilePath, ...], kind: Kind, readable: Readable) -> Document:
    """Resolve `extends` and the document's own `set`."""
    data = document.data
    if not isinstance(data, Mapping) or not {"extends", "set"} & data.keys():
        return document
    own = {key: value for key, value in data.items() if key not in ("extends", "set")}
    changes = data.get("set") or {}
    if not isinstance(changes, Mapping):
        raise document.error(("set",), f"must be a mapping of dotted paths to values, like {kind.example}")
    base = Document({}, {}, document.file) if data.get("extends") is None else _base_of(document, chain, kind, readable)
    merged = Document({**base.data, **own}, {}, document.file)
    merged.origins = {p: o for p, o in base.origins.items() if p and p[0] not in own}
    merged.origins |= {p: o for p, o in document.origins.items() if not p or p[0] in own}
    inside: dict[Any, dict[Path, Origin]] = {dotted: {(): document.origin(("set", dotted))} for dotted in changes}
    for path, origin in document.origins.items():
        if len(path) > 1 and path[0] == "set":
            inside[path[1]][path[2:]] = origin
    for dotted, value in changes.items():
        set_value(merged, dotted, value, inside[dotted], kind)
    return merged


def _base_of(document: Document, chain: tuple[FilePath, ...], kind: Kind, readable: Readable) -> Document:
    target = document.data["extends"]
    if not isinstance(target, str) or not target:
        message = f"{show(target)} is not a file or a built-in name; {suggest(target, kind.builtin())}"
        raise document.error(("extends",), message, "no_file")
    here = chain[-1].parent if chain else FilePath.cwd()
    path = _named(here, target, kind)
    if path is None:
        known = [other.name for other in here.glob("*.yaml") if other not in chain] + list(kind.builtin())
        raise document.error(("extends",), f"there is no file {show(target)}; {suggest(target, known)}", "no_file")
    resolved = path.resolve()
    if resolved in chain:
        circle = " → ".join(link.name for link in (*chain[chain.index(resolved) :], resolved))
        raise document.error(("extends",), f"goes round in a circle: {circle}; let one of them stand alone", "cycle")
    if len(chain) > MAX_BASES:
        message = f"more than {MAX_BASES} files extend one another here; write some of them as one"
        raise document.error(("extends",), message, "too_deep")
    roots = [SPECS.resolve(), *readable.folders]
    # started in /, the current folder would be everything
    if not any(resolved.is_relative_to(root) for root in roots if root != root.parent):
        message = (
            f"{show(target)} leads to {resolved}, outside the folders that a {kind.noun} may read "
            f"({readable.description}, the built-in {kind.noun}s); copy that file beside this one"
        )
        raise document.error(("extends",), message, "outside")
    shown = os.path.relpath(path) if path.is_relative_to(FilePath.cwd()) else str(path)
    base = _extended(_read(resolved, shown), (*chain, resolved), kind, readable)
    if not isinstance(base.data, Mapping):
        message = f"{show(target)} is no {kind.noun}: {show(base.data)}; write a mapping in it"
        raise document.error(("extends",), message, "not_a_mapping")
    return base


def _named(here: FilePath, target: str, kind: Kind) -> FilePath | None:
    """The file that `extends` names, beside a file or built in."""
    with suppress(OSError, ValueError):  # names that no file can have
        if (here / target).is_file():
            return here / target
    return kind.builtin().get(target)


def save(spec: SpecLike, path: str | os.PathLike[str]) -> None:
    """Write a spec as YAML, whole or not at all; raises SpecError where the place can't be written."""
    write_text(path, to_yaml(as_spec(spec)))
