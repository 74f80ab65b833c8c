"""A block's graph in so many pieces as a picture can hold: operations, and groups of them where there are many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hiri_spec.graph import Graph, Node, Shape
from hiri_spec.tables import format_shape

MOST_SINGLE, MOST_GROUPED = 44, 24
"""Operations that are drawn one by one; of more, those of a scope are one piece, so that no more than the latter are
left where that can be."""
MOST_PIECES = 120
BY_SIZE_ONLY = frozenset({"upsample", "crop"})
"""Operations that need no more than the size of their further inputs."""


@dataclass(frozen=True, slots=True)
class Join:
    """An input of a piece: the place of the piece that it comes from."""

    source: int
    is_for_size: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """What is drawn as one box. A group's scope can be opened in turn."""

    name: str
    label: str
    look: Literal["end", "light", "heavy", "group"]
    shape: Shape
    macs: int
    params: int
    joins: tuple[Join, ...]

    @property
    def spoken(self) -> str:
        """In words."""
        sums = f", {self.macs:,} MACs, {self.params:,} parameters" if self.look in ("heavy", "group") else ""
        name = f"{self.name}: " if self.name != self.label else ""
        return f"{name}{self.label}, {format_shape(self.shape)}{sums}"


@dataclass(frozen=True, slots=True)
class Inside:
    """The pieces of a graph in the order of their execution, and the number of operations that are not among them."""

    pieces: tuple[Piece, ...]
    left_out: int


def inside_of(graph: Graph, scope: str = "") -> Inside | None:
    """What is in a graph, or in one of its scopes; None if it has no such scope."""
    dotted = f"{scope}." if scope else ""
    chosen = [index for index, node in enumerate(graph.nodes) if node.name.startswith(dotted)]
    if not chosen:
        return None
    keys = _keys([graph.nodes[index].name.removeprefix(dotted) for index in chosen])
    members: dict[str, list[int]] = {}
    for index, key in zip(chosen, keys, strict=True):
        members.setdefault(key, []).append(index)
    outside = {
        source: graph.nodes[source]
        for index in chosen
        for source in graph.nodes[index].inputs
        if source not in {*chosen}
    }
    shown = dict(list(members.items())[:MOST_PIECES])
    place = {source: number for number, source in enumerate(outside)}
    pieces = [Piece(node.name, f"from {node.name}", "end", node.shape, 0, 0, ()) for node in outside.values()]
    for key, indices in shown.items():
        pieces.append(_piece(graph, dotted, key, indices, place))
        place.update(dict.fromkeys(indices, len(pieces) - 1))
    left_out = len(chosen) - sum(map(len, shown.values()))
    ends = graph.outputs if not scope else [indices[-1] for indices in list(shown.values())[-1:]]
    if not left_out:
        pieces += [_end(graph.nodes[index], place[index]) for index in ends]
    return Inside(tuple(pieces), left_out)


def _keys(names: list[str]) -> list[str]:
    """What each operation is drawn as: itself, or the scope that it is in; the finest that is few enough."""
    if len(names) <= MOST_SINGLE:
        return names
    scopes = [name.split(".")[:-1] for name in names]
    for depth in range(max(map(len, scopes)), 0, -1):
        keys = list(_folded(names, scopes, depth))
        if len({*keys}) <= MOST_GROUPED:
            return keys
    return list(_folded(names, scopes, 1))


def _folded(names: list[str], scopes: list[list[str]], depth: int) -> Iterator[str]:
    for name, scope in zip(names, scopes, strict=True):
        yield ".".join(scope[:depth]) if len(scope) >= depth else name


def _piece(graph: Graph, dotted: str, key: str, indices: list[int], place: dict[int, int]) -> Piece:
    own = {*indices}
    sources: dict[int, bool] = {}
    for index in indices:
        node = graph.nodes[index]
        for number, source in enumerate(node.inputs):
            if source not in own:
                is_for_size = number > 0 and node.op.kind in BY_SIZE_ONLY
                sources[place[source]] = sources.get(place[source], True) and is_for_size
    joins = tuple(Join(source, is_for_size) for source, is_for_size in sources.items())
    last = graph.nodes[indices[-1]]
    if len(indices) == 1:
        node = last
        if node.op.kind == "input":
            return Piece(key, "input", "end", node.shape, 0, 0, joins)
        is_heavy = node.macs > 0 or (node.params > 0 and "norm" not in node.op.kind)
        return Piece(key, _told(node), "heavy" if is_heavy else "light", node.shape, node.macs, node.params, joins)
    macs = sum(graph.nodes[index].macs for index in indices)
    params = sum(graph.nodes[index].params for index in indices)
    return Piece(key, f"{len(indices):,} operations", "group", last.shape, macs, params, joins)


def _told(node: Node) -> str:
    """An operation with the side of its windows and how far they lie apart, where it has them."""
    kernel, stride = getattr(node.op, "kernel", 1), getattr(node.op, "stride", 1)
    label = node.op.label.replace("_", " ")
    side = f" {kernel}x{kernel}" if isinstance(kernel, int) and kernel > 1 else ""
    return f"{label}{side}" + (f" /{stride}" if isinstance(stride, int) and stride > 1 else "")


def _end(node: Node, source: int) -> Piece:
    return Piece("output", "output", "end", node.shape, 0, 0, (Join(source, False),))
