"""The scopes of a traced part as a tree: which operations share a module, what goes into each and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .graph import Graph, Node, Op


@dataclass(frozen=True, slots=True)
class Call:
    """One operation, or one scope inside: the nodes that it is given, gives, and is the last to need."""

    name: str
    what: Op | Scope
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    releases: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What becomes one module: its calls in order, and the nodes that come in and go out."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    calls: tuple[Call, ...]


def read_scopes(part: Graph) -> Scope:
    """The tree of a traced part; raises ValueError where an operation's result is never used."""
    part.check_used()
    indices = [index for index in range(len(part.nodes)) if index not in part.inputs]
    return _read(part, indices, 0, part.inputs, part.outputs)


def _read(part: Graph, indices: list[int], depth: int, inputs: Sequence[int], outputs: Sequence[int]) -> Scope:
    """Read one level: what shares the next component of its name is a scope of its own."""
    calls = []
    groups = _grouped(part.nodes, indices, depth)
    for place, (name, members) in enumerate(groups):
        later = {source for _, group in groups[place + 1 :] for index in group for source in part.nodes[index].inputs}
        inside = set(members)
        sources = list(
            dict.fromkeys(source for index in members for source in part.nodes[index].inputs if source not in inside)
        )
        results = [index for index in members if index in later or index in outputs]
        releases = tuple(index for index in sources if index not in later and index not in outputs)
        node = part.nodes[members[0]]
        if node.name.count(".") > depth:
            what: Op | Scope = _read(part, members, depth + 1, sources, results)
        else:
            what, sources = node.op, list(node.inputs)
        calls.append(Call(name, what, tuple(sources), tuple(results), releases))
    return Scope(tuple(inputs), tuple(outputs), tuple(calls))


def _grouped(nodes: list[Node], indices: list[int], depth: int) -> list[tuple[str, list[int]]]:
    """Indices by the name's component at a depth; a scope's nodes follow one another."""
    groups: list[tuple[str, list[int]]] = []
    for index in indices:
        parts = nodes[index].name.split(".")
        if groups and groups[-1][0] == parts[depth] and len(parts) > depth + 1:
            groups[-1][1].append(index)
        else:
            groups.append((parts[depth], [index]))
    return groups
