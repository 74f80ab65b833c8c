"""The symbolic graph that every reader reads: nodes of primitive operations with shapes and names.

Shapes carry no batch: `(channels, height, width)` for a map, `(features,)` for a vector.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import networkx

Shape = tuple[int, ...]


class Op:
    """A primitive operation: its shape, parameter, MAC and memory rules live in its class and nowhere else."""

    kind: ClassVar[str]
    saves_inputs: ClassVar[bool] = False
    """Whether autograd keeps the inputs for the backward pass."""
    saves_output: ClassVar[bool] = False
    """Whether autograd keeps the output for the backward pass."""
    is_alias: ClassVar[bool] = False
    """Whether inference returns the input itself, so that no memory is taken."""

    @property
    def label(self) -> str:
        """The name under which costs are grouped `--by op`; `kind` unless a rule is finer."""
        return self.kind

    def output_shape(self, *inputs: Shape) -> Shape:
        """Shape of the output."""
        raise NotImplementedError(f"operation {self.kind!r} has no shape rule")

    def params(self) -> int:
        """Number of learned parameters."""
        return 0

    def macs(self, output: Shape, *inputs: Shape) -> int:
        """Multiply-adds for one image, as fvcore counts them."""
        return 0

    def saved_extra(self, output: Shape, *inputs: Shape) -> int:
        """Values that autograd keeps for each image besides whole inputs and outputs (statistics)."""
        return 0

    def saved_once(self) -> int:
        """Values that autograd keeps however many images there are (statistics of a batch)."""
        return 0


@dataclass(slots=True)
class Node:
    """One operation in a graph: its dotted name, the indices of its inputs, its output shape."""

    name: str
    op: Op
    inputs: tuple[int, ...]
    shape: Shape
    input_shapes: tuple[Shape, ...]

    @property
    def params(self) -> int:
        """Number of learned parameters."""
        return self.op.params()

    @property
    def macs(self) -> int:
        """Multiply-adds for one image."""
        return self.op.macs(self.shape, *self.input_shapes)


class Graph:
    """Nodes in the order of their execution; `inputs` and `outputs` are indices into `nodes`."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self._names: set[str] = set()
        self._scope = ""

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def params(self) -> int:
        """Number of learned parameters in all."""
        return sum(node.params for node in self.nodes)

    @property
    def macs(self) -> int:
        """Multiply-adds for one image in all."""
        return sum(node.macs for node in self.nodes)

    def add(self, op: Op, inputs: tuple[int, ...] = (), name: str | None = None) -> int:
        """Append an operation and return its index.

        A name given twice in one scope is the block author's mistake and raises ValueError; unnamed operations are
        numbered.
        """
        nodes = self.nodes
        shapes = tuple([nodes[index].shape for index in inputs])
        full = self._scope + (name or op.kind)
        if full in self._names:
            if name:
                raise ValueError(f"two operations are named {full!r} in one graph; give each its own name")
            full = next(f"{full}_{n}" for n in range(2, len(nodes) + 3) if f"{full}_{n}" not in self._names)
        self._names.add(full)
        nodes.append(Node(full, op, inputs, op.output_shape(*shapes), shapes))
        return len(nodes) - 1

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Prefix the names of what is added inside: one nested module of the built model."""
        outer = self._scope
        self._scope = f"{outer}{name}."
        if any(known.startswith(self._scope) for known in self._names):
            raise ValueError(f"scope {self._scope!r} is entered twice in one graph; give each its own name")
        try:
            yield
        finally:
            self._scope = outer

    def append(self, prefix: str, part: Graph, inputs: Sequence[int]) -> list[int]:
        """Append a copy of `part` under `prefix`, fed by the nodes `inputs`; return the indices of its outputs."""
        place: dict[int, int] = dict(zip(part.inputs, inputs, strict=True))
        for index, node in enumerate(part.nodes):
            if index in place:
                continue
            name = f"{prefix}.{node.name}"
            self._names.add(name)
            place[index] = len(self.nodes)
            self.nodes.append(Node(name, node.op, tuple(place[i] for i in node.inputs), node.shape, node.input_shapes))
        return [place[index] for index in part.outputs]

    def to_networkx(self) -> networkx.DiGraph[str]:
        """The graph as a networkx DiGraph: nodes by name, with op, shape, params and macs."""
        import networkx

        graph: networkx.DiGraph[str] = networkx.DiGraph()
        for node in self.nodes:
            graph.add_node(node.name, op=node.op.label, shape=node.shape, params=node.params, macs=node.macs)
            graph.add_edges_from((self.nodes[index].name, node.name) for index in node.inputs)
        return graph


@dataclass(frozen=True, slots=True)
class Value:
    """What a node of a graph under construction returns."""

    graph: Graph
    index: int

    @property
    def shape(self) -> Shape:
        """Shape without the batch."""
        return self.graph.nodes[self.index].shape
