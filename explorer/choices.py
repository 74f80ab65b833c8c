"""The tree of a search space: plain data in which some values are a choice or a range, and the parameters in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from hiri_spec.document import Document, Origin
from hiri_spec.errors import Path, SpecError, show

MAX_OPTIONS = 10_000
Assignment = dict[str, int]
"""The index of the option taken, by parameter name."""


@dataclass(slots=True)
class Parameter:
    """One decision: its name, a label for each option, and whether the options are steps of a range."""

    name: str
    labels: tuple[Any, ...]
    is_range: bool
    signature: str

    @property
    def field(self) -> str:
        """The field of the language that it decides, e.g. `depth`."""
        return self.name.rsplit(".", 1)[-1].split("[")[0]


@dataclass(slots=True)
class Node:
    """A value of the space, with the place where it was written."""

    origin: Origin


@dataclass(slots=True)
class Fixed(Node):
    """A plain value."""

    value: Any


@dataclass(slots=True)
class Fields(Node):
    """A mapping."""

    items: dict[str, Node]


@dataclass(slots=True)
class Items(Node):
    """A list."""

    items: list[Node]


@dataclass(slots=True)
class Choice(Node):
    """One of several values, decided by a parameter."""

    parameter: Parameter
    options: list[Node]


@dataclass(slots=True)
class Occurrence:
    """A place where a parameter decides something, and the decisions under which it does."""

    choice: Choice
    conditions: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Tree:
    """A parsed space."""

    root: Node
    parameters: dict[str, Parameter] = field(default_factory=dict)
    occurrences: list[Occurrence] = field(default_factory=list)


def parse_tree(document: Document) -> Tree:
    """Find the choices and ranges of a document; raises SpecError with file and line for a malformed one."""
    tree = Tree(Fixed(Origin(document.file), None))
    reader = _Reader(document, tree)
    tree.root = reader.read(document.data, (), (), ())
    return tree


class _Reader:
    def __init__(self, document: Document, tree: Tree) -> None:
        self.document = document
        self.tree = tree

    def read(self, value: Any, written: Path, path: Path, conditions: tuple[tuple[str, int], ...]) -> Node:
        """Read a value; `written` is its path in the file, `path` the one in the spec that it becomes."""
        origin = self.document.origin(written)
        if isinstance(value, Mapping):
            if "choice" in value or "range" in value:
                return self._read_choice(value, written, path, conditions)
            return Fields(
                origin,
                {key: self.read(item, (*written, key), (*path, key), conditions) for key, item in value.items()},
            )
        if isinstance(value, list):
            return Items(
                origin,
                [self.read(item, (*written, i), (*path, i), conditions) for i, item in enumerate(value)],
            )
        return Fixed(origin, value)

    def _read_choice(
        self, value: Mapping[str, Any], written: Path, path: Path, conditions: tuple[tuple[str, int], ...]
    ) -> Node:
        if len(value) > 1:
            others = ", ".join(sorted(value.keys() - {"choice", "range"})) or "choice and range"
            raise self._error(written, f"a choice or a range stands alone in its mapping; take out {others}")
        origin = self.document.origin(written)
        if "range" in value:
            values: list[Any] = _steps(value["range"], lambda message: self._error((*written, "range"), message))
            labels, signature, name = tuple(values), f"range {values}", _dotted(path)
            raw = values
        else:
            raw = value["choice"]
            if not isinstance(raw, list) or not raw:
                raise self._error((*written, "choice"), f"{raw!r} offers nothing; list at least one value")
            for index, item in enumerate(raw):
                if item in raw[:index]:
                    raise self._error((*written, "choice", index), f"{show(item)} is offered twice; take one out")
            labels, name = _labels(raw, path)
            signature = f"choice {raw}"
        parameter = self._parameter(name, labels, "range" in value, signature, conditions)
        options = []
        for index, item in enumerate(raw):
            place = (*written, "range") if "range" in value else (*written, "choice", index)
            options.append(self.read(item, place, path, (*conditions, (parameter.name, index))))
        choice = Choice(origin, parameter, options)
        self.tree.occurrences.append(Occurrence(choice, conditions))
        return choice

    def _parameter(
        self,
        name: str,
        labels: tuple[Any, ...],
        is_range: bool,
        signature: str,
        conditions: tuple[tuple[str, int], ...],
    ) -> Parameter:
        """The parameter of a choice. Places that can't both be in force and offer the same share one.

        Sharing keeps a space small, and lets a width survive when the block around it changes.
        """
        parameters = self.tree.parameters
        candidates = [name]
        if conditions:
            outer, index = conditions[-1]
            candidates.append(f"{name}[{parameters[outer].labels[index]}]")
        candidates += [f"{candidates[-1]}#{number}" for number in range(2, 1000)]
        for candidate in candidates:
            known = parameters.get(candidate)
            if known is None:
                parameters[candidate] = Parameter(candidate, labels, is_range, signature)
                return parameters[candidate]
            if known.signature == signature and self._excludes(candidate, conditions):
                return known
        raise AssertionError("unreachable: a thousand parameters of one name")

    def _excludes(self, name: str, conditions: tuple[tuple[str, int], ...]) -> bool:
        """Whether every other place of a parameter is ruled out under these conditions."""
        here = dict(conditions)
        return all(
            any(here.get(outer, index) != index for outer, index in occurrence.conditions)
            for occurrence in self.tree.occurrences
            if occurrence.choice.parameter.name == name
        )

    def _error(self, written: Path, message: str) -> SpecError:
        return self.document.error(written, message, "space")


def _dotted(path: Path) -> str:
    return ".".join(str(part) for part in path) or "network"


def _labels(options: list[Any], path: Path) -> tuple[tuple[Any, ...], str]:
    """A short, distinct label for each option, and the name of the parameter."""
    name = _dotted(path)
    if all(isinstance(option, Mapping) and isinstance(option.get("block"), str) for option in options):
        labels: list[Any] = [option["block"] for option in options]
        name += ".block"
    elif all(isinstance(option, list) for option in options):
        labels = [len(option) for option in options]
    elif all(option is None or isinstance(option, str | int | float) for option in options):
        labels = list(options)
    else:
        labels = [f"option {index}" for index in range(len(options))]
    seen: dict[str, int] = {}
    distinct = []
    for label in labels:
        seen[repr(label)] = count = seen.get(repr(label), 0) + 1
        distinct.append(label if count == 1 else f"{label}#{count}")
    return tuple(distinct), name


def _steps(bounds: Any, error: Any) -> list[Any]:
    """The values of [low, high] or [low, high, step]."""
    is_list = isinstance(bounds, list) and len(bounds) in (2, 3)
    if not is_list or any(isinstance(bound, bool) or not isinstance(bound, int | float) for bound in bounds):
        raise error(f"{bounds!r} is no range; write [low, high] or [low, high, step] with numbers")
    low, high, step = (*bounds, 1)[:3]
    if step <= 0:
        raise error(f"step {step} goes nowhere; use one above 0")
    if low > high:
        raise error(f"low {low} is above high {high}; swap them")
    count = int((high - low) / step + 1e-9) + 1
    if count > MAX_OPTIONS:
        raise error(f"{count:,} values are too many; use a larger step")
    values = [low + step * index for index in range(count)]
    return [round(value, 10) if isinstance(value, float) else value for value in values]


def count(node: Node) -> int:
    """Number of different values that a node can take."""
    if isinstance(node, Choice):
        return sum(count(option) for option in node.options)
    if isinstance(node, Fields):
        return prod(count(item) for item in node.items.values())
    return prod(count(item) for item in node.items) if isinstance(node, Items) else 1


def assignments(node: Node) -> Iterator[Assignment]:
    """Every different value that a node can take, as the parameters in force and the options taken."""
    if isinstance(node, Choice):
        for index, option in enumerate(node.options):
            for inside in assignments(option):
                yield {node.parameter.name: index, **inside}
    elif isinstance(node, Fields | Items):
        items = node.items.values() if isinstance(node, Fields) else node.items
        for parts in product(*[list(assignments(item)) for item in items]):
            yield {name: index for part in parts for name, index in part.items()}
    else:
        yield {}


def resolve(node: Node, assignment: Assignment) -> Any:
    """The plain data that an assignment makes of a node."""
    if isinstance(node, Choice):
        return resolve(node.options[assignment[node.parameter.name]], assignment)
    if isinstance(node, Fields):
        return {key: resolve(item, assignment) for key, item in node.items.items()}
    if isinstance(node, Items):
        return [resolve(item, assignment) for item in node.items]
    return node.value if isinstance(node, Fixed) else None


def decisions(node: Node, assignment: Assignment) -> Iterator[tuple[str, int]]:
    """The parameters in force below a node, with the options taken."""
    if isinstance(node, Choice):
        index = assignment[node.parameter.name]
        yield node.parameter.name, index
        yield from decisions(node.options[index], assignment)
    elif isinstance(node, Fields):
        for item in node.items.values():
            yield from decisions(item, assignment)
    elif isinstance(node, Items):
        for item in node.items:
            yield from decisions(item, assignment)


def origins(node: Node, assignment: Assignment, path: Path = ()) -> Iterator[tuple[Path, Origin]]:
    """Where each value of the resolved data was written."""
    if isinstance(node, Choice):
        yield from origins(node.options[assignment[node.parameter.name]], assignment, path)
        return
    yield path, node.origin
    if isinstance(node, Fields):
        for key, item in node.items.items():
            yield from origins(item, assignment, (*path, key))
    elif isinstance(node, Items):
        for index, item in enumerate(node.items):
            yield from origins(item, assignment, (*path, index))
