"""The classes of a written file: equal scopes of all parts as one class, with arguments for what differs."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .. import ops
from ..block import Block, Part
from ..errors import Problem, SpecError
from ..graph import Graph, Node
from ..scopes import Scope, read_scopes
from .arguments import Argument

Structure = tuple[Any, ...]
LIKE = (ops.Upsample, ops.Crop)
"""What changes its first input to the size of its second."""


@dataclass(frozen=True, slots=True)
class Use:
    """A scope where it is used: in the graph of which part of the spec, and under which path in which class's scope."""

    scope: Scope
    graph: Graph
    part: Part
    path: str = ""
    owner: Scope | None = None

    def channels(self, nodes: tuple[int, ...]) -> list[int]:
        """Channels of some of its maps."""
        return [self.graph.nodes[index].shape[0] for index in nodes]


@dataclass(slots=True, eq=False)
class Template:
    """A class to be written and its uses; its name and arguments are found once all uses are known."""

    uses: list[Use] = field(default_factory=list)
    name: str = ""
    arguments: list[Argument] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        """The scope of the first use; those of all others have the same calls."""
        return self.uses[0].scope

    @property
    def part(self) -> Part:
        """The part of the spec around the first use."""
        return self.uses[0].part


def structure_of(scope: Scope) -> Structure:
    """What scopes must share to be one class: the calls, by name and kind, and the ways between them."""
    numbers = {index: place for place, index in enumerate(ordered_inputs(scope))}
    calls = []
    for call in scope.calls:
        given = ordered_inputs(call.what) if isinstance(call.what, Scope) else call.inputs
        inputs = tuple(numbers[index] for index in given)
        numbers |= {index: len(numbers) + place for place, index in enumerate(call.outputs)}
        kind = structure_of(call.what) if isinstance(call.what, Scope) else type(call.what)
        calls.append((call.name, kind, inputs, len(call.outputs)))
    return len(scope.inputs), tuple(calls), tuple(numbers[index] for index in scope.outputs)


def ordered_inputs(scope: Scope) -> tuple[int, ...]:
    """The maps that a scope is given, in the order of the graph; those that only tell a size come last."""
    sizes = only_sizes(scope)
    return tuple(sorted(scope.inputs, key=lambda index: (index in sizes, index)))


def only_sizes(scope: Scope) -> set[int]:
    """The maps that a scope takes nothing but the size of."""
    told = {call.inputs[1] for call in scope.calls if isinstance(call.what, LIKE)}
    read = {index for call in scope.calls for index in call.inputs[: 1 if isinstance(call.what, LIKE) else None]}
    return told - read


def is_chain(scope: Scope) -> bool:
    """Whether each call takes what the one before it gives, and nothing else."""
    here = scope.inputs
    for call in scope.calls:
        if len(here) != 1 or call.inputs != here or isinstance(call.what, ops.Add | ops.Crop):
            return False
        here = call.outputs
    return here == scope.outputs and len(here) == 1


class Templates:
    """The classes of a network: those of its parts, and those of the scopes inside them.

    A scope that has the structure of a whole part is one more use of that part's class, unless the part takes streams:
    these come to it as one tuple.
    """

    def __init__(self) -> None:
        self.parts: dict[tuple[type[Part], Structure], Template] = {}
        self.nested: dict[Structure, Template] = {}
        self._places: dict[int, tuple[Template, int]] = {}

    def add(self, part: Part, graph: Graph) -> Scope:
        """Take in a part; returns the scope that stands for it."""
        graph = graph if isinstance(part, Block) else _without_drop_path(graph)
        scope = read_scopes(graph)
        _check_names(scope, part)
        template = self.parts.setdefault((type(part), structure_of(scope)), Template())
        self._use(template, Use(scope, graph, part))
        return scope

    def add_nested(self) -> None:
        """Take in what is inside the parts, once they are all there."""
        whole = {key: each for (part, key), each in reversed(self.parts.items()) if not part.takes_streams}
        for part in [use for template in self.parts.values() for use in template.uses]:
            for use in _inside(part.scope, part):
                structure = structure_of(use.scope)
                self._use(whole.get(structure) or self.nested.setdefault(structure, Template()), use)

    def _use(self, template: Template, use: Use) -> None:
        self._places[id(use.scope)] = template, len(template.uses)
        template.uses.append(use)

    def find(self, scope: Scope) -> tuple[Template, int]:
        """The class of a scope, and which of its uses the scope is."""
        return self._places[id(scope)]

    def owner(self, template: Template) -> Template:
        """The class around the first use of a nested one."""
        owner = template.uses[0].owner
        assert owner is not None  # only parts stand by themselves
        return self.find(owner)[0]


def _check_names(scope: Scope, part: Part) -> None:
    for call in scope.calls:
        if not call.name.isidentifier() or keyword.iskeyword(call.name):
            message = f"{type(part).__name__} names a module {call.name!r}, which Python can't; change it in its wire"
            raise SpecError(Problem(message, str(getattr(part, part.key))))
        if isinstance(call.what, Scope):
            _check_names(call.what, part)


def _inside(scope: Scope, around: Use, path: str = "") -> Iterator[Use]:
    """The scopes inside one that become classes: not chains, which are written where they are used."""
    for call in scope.calls:
        if isinstance(call.what, Scope):
            use = Use(call.what, around.graph, around.part, path + call.name, around.scope)
            if is_chain(call.what):
                yield from _inside(call.what, around, f"{path}{call.name}.")
            else:
                yield use
                yield from _inside(call.what, use)


def _without_drop_path(graph: Graph) -> Graph:
    """The graph of a part that never drops paths, as only blocks do."""
    place: dict[int, int] = {}
    kept = Graph()
    for index, node in enumerate(graph.nodes):
        inputs = tuple(place[source] for source in node.inputs)
        if isinstance(node.op, ops.DropPath):
            place[index] = inputs[0]
        else:
            place[index] = len(kept.nodes)
            kept.nodes.append(Node(node.name, node.op, inputs, node.shape, node.input_shapes))
    kept.inputs = [place[index] for index in graph.inputs]
    kept.outputs = [place[index] for index in graph.outputs]
    return kept
