"""The symbolic graph that every reader reads: nodes of primitive operations with shapes and names.

Shapes carry no batch: `(channels, height, width)` for a map, `(features,)` for a vector.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import networkx

Shape = tuple[int, ...]
Shapes = Shape | tuple[Shape, ...]
"""One shape, or one for each of several streams (HRNet's), the largest map first."""
MAX_PART_NODES = 20_000
"""Operations that one part of a network may have."""


class Op:
    """A primitive operation: its shape, parameter, MAC and memory rules live in its class and nowhere else."""

    kind: ClassVar[str]
    saves_inputs: ClassVar[bool] = False
    """Whether autograd keeps the inputs for the backward pass."""
    saves_output: ClassVar[bool] = False
    """Whether autograd keeps the output for the backward pass."""
    is_alias: ClassVar[bool] = False
    """Whether inference returns the input itself, so that no memory is taken."""
    is_module: ClassVar[bool] = True
    """Whether the built model has a module for it; plain arithmetic has none."""

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

    def tensors(self) -> dict[str, Shape]:
        """Name and shape of each tensor in the state dict of its module, buffers included."""
        return {}

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


class TooManyNodesError(ValueError):
    """A part has more operations than any of use."""


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
    def output_shape(self) -> Shapes:
        """Shape of what comes out, or of each stream."""
        shapes = tuple([self.nodes[index].shape for index in self.outputs])
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def params(self) -> int:
        """Number of learned parameters in all."""
        return sum([node.op.params() for node in self.nodes])

    @property
    def macs(self) -> int:
        """Multiply-adds for one image in all."""
        return sum([node.op.macs(node.shape, *node.input_shapes) for node in self.nodes])

    def check_used(self) -> None:
        """Refuse, for the author of a `wire`, a graph with an operation whose result nobody uses (ValueError)."""
        used = {source for node in self.nodes for source in node.inputs} | set(self.outputs)
        unused = [node.name for index, node in enumerate(self.nodes) if index not in used]
        if unused:
            raise ValueError(f"the result of {', '.join(unused)} is never used; remove it or wire it up")

    def add(self, op: Op, inputs: tuple[int, ...] = (), name: str | None = None) -> int:
        """Append an operation and return its index.

        A name given twice in one scope is the block author's mistake and raises ValueError; unnamed operations are
        numbered.
        """
        nodes, names = self.nodes, self._names
        full = self._scope + (name or op.kind)
        if full in names:
            full = self._free_name(full, name)
        names.add(full)
        index = len(nodes)
        if index >= MAX_PART_NODES:
            raise TooManyNodesError(f"more than {MAX_PART_NODES:,} operations in one part")
        if len(inputs) == 1:
            shape = nodes[inputs[0]].shape
            nodes.append(Node(full, op, inputs, op.output_shape(shape), (shape,)))
        else:
            shapes = tuple([nodes[source].shape for source in inputs])
            nodes.append(Node(full, op, inputs, op.output_shape(*shapes), shapes))
        return index

    def _free_name(self, full: str, given: str | None) -> str:
        if given:
            raise ValueError(f"two operations are named {full!r} in one graph; give each its own name")
        number = 2
        while f"{full}_{number}" in self._names:
            number += 1
        return f"{full}_{number}"

    def scope(self, name: str) -> Scope:
        """Prefix the names of what is added inside the `with`: one nested module of the built model."""
        return Scope(self, name)

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


def streams_of(shapes: Shapes) -> tuple[Shape, ...]:
    """The shape of each stream; a single map is one."""
    return shapes if isinstance(shapes[0], tuple) else (shapes,)


class Scope:
    """Prefixes names while it is entered. A class, as a generator would take a tenth of a trace's time."""

    __slots__ = ("graph", "name", "outer")

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name
        self.outer = graph._scope

    def __enter__(self) -> None:
        full = f"{self.outer}{self.name}."
        if full in self.graph._names:
            raise ValueError(f"scope {full!r} is entered twice in one graph; give each its own name")
        self.graph._names.add(full)
        self.graph._scope = full

    def __exit__(self, *error: object) -> None:
        self.graph._scope = self.outer


class Value:
    """What a node of a graph under construction returns, with its shape."""

    __slots__ = ("graph", "index", "shape")

    def __init__(self, graph: Graph, index: int) -> None:
        self.graph = graph
        self.index = index
        self.shape = graph.nodes[index].shape
