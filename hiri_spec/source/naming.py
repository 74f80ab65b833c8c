"""Names of the classes of a written file."""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ..block import Block, Part, fields_of, trace
from ..errors import Problem, SpecError, show
from ..schema import ModelSpec
from ..scopes import read_scopes
from .library import library
from .templates import Template, Templates, structure_of

WORDS_OF_THE_FILE = frozenset({"torch", "nn", "F", "Tensor", "trunc_normal_"})


def camel(name: str) -> str:
    """`add_stream` as AddStream; numbers stay apart, `window7_224` as Window7_224."""
    words = [word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name)]
    return re.sub(r"(?<=[0-9]) (?=[0-9])", "_", " ".join(words)).replace(" ", "")


def name_parts(templates: Sequence[Template]) -> set[str]:
    """Name the classes of parts after their types; several of one type after the field that tells them apart.

    Returns the names that are taken in the file.
    """
    by_type: dict[type[Part], list[Template]] = {}
    for template in templates:
        by_type.setdefault(type(template.uses[0].part), []).append(template)
    taken = set(library()) | WORDS_OF_THE_FILE
    for part, alike in by_type.items():
        endings = _endings(part, alike) if len(alike) > 1 else [""]
        for template, ending in zip(alike, endings, strict=True):
            template.name = _free(part.__name__ + ending, taken)
    return taken


def name_nested(nested: Sequence[Template], templates: Templates, taken: set[str]) -> None:
    """Name the classes inside parts: by the part and the scope, then by the class around, then by number."""
    bases = [camel(template.uses[0].path.rpartition(".")[2].rstrip("0123456789")) for template in nested]
    parts = ["".join(dict.fromkeys(type(use.part).__name__ for use in template.uses)) for template in nested]
    owners = [templates.owner(template) for template in nested]
    by_part = Counter(zip(parts, bases, strict=True))
    by_owner = Counter(zip(map(id, owners), bases, strict=True))
    for template, owner, part, base in zip(nested, owners, parts, bases, strict=True):
        if len({type(use.part) for use in template.uses}) > 1:
            name = base
        elif by_part[part, base] == 1:
            name = part + base
        elif by_owner[id(owner), base] == 1:
            name = owner.name + base
        else:
            name = owner.name + camel(template.uses[0].path)
        template.name = _free(name, taken)


def _endings(part: type[Part], templates: Sequence[Template]) -> list[str]:
    """What tells classes of one part type apart: streams, or the one field that decides, the usual value unnamed."""
    if part.takes_streams:
        return [str(len(template.scope.inputs)) for template in templates]
    for name, field in fields_of(part).items():
        sets = [{getattr(use.part, name) for use in template.uses} for template in templates]
        usual = next((place for place, own in enumerate(sets) if own == {field.default}), None)
        if usual is not None and all(
            place == usual or _decides(name, field.default, template, templates[usual])
            for place, template in enumerate(templates)
        ):
            return ["" if place == usual else _with(name, own, len(sets)) for place, own in enumerate(sets)]
    return ["", *map(str, range(2, len(templates) + 1))]


def _decides(name: str, default: object, template: Template, usual: Template) -> bool:
    """Whether a part of one class would be one of the other if the field had its default."""
    use = template.uses[0]
    shapes = tuple(use.graph.nodes[index].shape for index in use.graph.inputs)
    if not isinstance(use.part, Block) or getattr(use.part, name) == default:
        return False
    changed = trace(use.part.model_copy(update={name: default}), shapes if len(shapes) > 1 else shapes[0])
    return structure_of(read_scopes(changed)) == structure_of(usual.scope)


def _with(name: str, values: set[object], count: int) -> str:
    words = sorted(str(value) for value in values) if count > 2 or any(isinstance(v, str) for v in values) else [name]
    return "With" + "".join(map(camel, words))


def _free(name: str, taken: set[str]) -> str:
    """The name, numbered if it is taken; it is taken then."""
    found = next(each for each in _numbered(name) if each not in taken)
    taken.add(found)
    return found


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}{number}"
        number += 1


def name_network(spec: ModelSpec, given: str | None, taken: set[str]) -> str:
    """The name of the network's class: the given one, or the spec's in Python's form.

    Raises SpecError where the given one is no name for a class, or has another meaning in the file.
    """
    own = camel(spec.name)
    if not is_free(own, taken):
        own = _free(f"Network{own}", taken)
    if given is None:
        return own
    if not isinstance(given, str) or not (given.isidentifier() and given.isascii()) or keyword.iskeyword(given):
        message = f"{show(given)} is no name for a Python class; use letters, digits and _, like {own}"
        raise SpecError(Problem(message, "class_name"))
    if not is_free(given, taken):
        message = f"{show(given)} already means something in the file; use another, like {own}"
        raise SpecError(Problem(message, "class_name"))
    return given


def is_free(name: str, taken: set[str]) -> bool:
    """Whether a class may have a name."""
    return name.isidentifier() and not keyword.iskeyword(name) and name not in taken and not hasattr(builtins, name)
