"""Cost by module path: what each module of a network has in parameters, MACs and memory, without building it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .block import Head
from .cost import MAX_ROWS, describe
from .errors import Problem, SpecError
from .graph import Graph, Node, Shapes
from .memory import BYTES, peak_values
from .network import segments, trace_part
from .ops import Input
from .schema import ModelSpec
from .tensors import CLASSIFIER


class ModuleCost(NamedTuple):
    """One module: its path in the model, what it is, its share of the cost, for one image in float32.

    `memory_bytes` is the most that activations take at once while it runs, its input included.
    """

    name: str
    kind: str
    output: Shapes
    params: int
    macs: int
    memory_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return self._asdict()

    def followed_by(self, other: ModuleCost, kind: str) -> ModuleCost:
        """Both in sequence, under this one's name."""
        memory = max(self.memory_bytes, other.memory_bytes)
        return ModuleCost(self.name, kind, other.output, self.params + other.params, self.macs + other.macs, memory)


def module_costs(
    spec: ModelSpec, size: tuple[int, int], *, depth: int, has_head: bool = True, has_classifier: bool = True
) -> list[ModuleCost]:
    """A row for each module path of at most `depth` components, parents before children, in the order of the network.

    Plain arithmetic (additions, crops) has no module and only counts in those around it. Raises SpecError for more than
    100,000 rows.
    """
    rows: dict[str, ModuleCost] = {}
    shape: Shapes = (spec.in_channels, *size)
    for segment in segments(spec):
        traced = trace_part(segment.part, shape, segment.channels)
        shape = traced.output_shape
        is_head = isinstance(segment.part, Head)
        if is_head and not has_head:
            continue
        without = CLASSIFIER if is_head and not has_classifier else ""
        members = [i for i in range(len(traced)) if i not in traced.inputs and traced.nodes[i].name != without]
        whole = _cost_of(traced, members, segment.scope, describe(segment))
        if segment.repeats is not None:
            times = segment.repeats
            whole = whole._replace(params=whole.params * times, macs=whole.macs * times)
        for name, kind in _parents(segment.scope, f"{len(spec.stages)} stages", whole.kind):
            before = rows.get(name)
            if before is None:
                rows[name] = whole._replace(name=name, kind=kind)
            else:
                rows[name] = before.followed_by(whole, kind if name == "stages" else f"{before.kind} + {kind}")
        inside = depth - segment.scope.count(".") - (1 if segment.repeats is None else 2)
        if inside < 0:
            continue
        own = list(_inside(traced, members, inside, segment.kind))
        if len(rows) + (len(own) + 1) * (segment.repeats or 1) > MAX_ROWS:
            raise SpecError(Problem(f"more than {MAX_ROWS:,} modules; list fewer", "--depth", code="too_large"))
        for module in segment.module_names():
            for row in own:
                path = f"{module}.{row.name}" if row.name else module
                rows[path] = row._replace(name=path)
    return [row for row in rows.values() if row.name.count(".") < depth]


def _parents(scope: str, stages: str, kind: str) -> Iterator[tuple[str, str]]:
    """The modules that a part lies in, the outermost first, and itself."""
    parts = scope.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end]), stages if end == 1 and len(parts) > 1 else kind


def _inside(traced: Graph, members: Sequence[int], depth: int, kind: str) -> Iterator[ModuleCost]:
    """A part and the modules inside it, by their paths within it."""
    groups: dict[str, list[int]] = {"": list(members)}
    for index in members:
        node = traced.nodes[index]
        parts = node.name.split(".")
        for end in range(1, min(len(parts) - (not node.op.is_module), depth) + 1):
            groups.setdefault(".".join(parts[:end]), []).append(index)
    for name, group in groups.items():
        first = traced.nodes[group[0]]
        yield _cost_of(traced, group, name, kind if not name else first.op.label if first.name == name else "")


def _cost_of(traced: Graph, members: Sequence[int], name: str, kind: str) -> ModuleCost:
    """Cost of some operations of a part that follow one another, or of all."""
    nodes = [traced.nodes[index] for index in members]
    part = traced
    if len(members) + len(traced.inputs) < len(traced):
        inside = set(members)
        read = {i for index, node in enumerate(traced.nodes) if index not in inside for i in node.inputs}
        ends = [index for index in members if index in read or index in traced.outputs]
        part = _cut_out(traced, members, ends or members[-1:])
    params, macs = sum(node.params for node in nodes), sum(node.macs for node in nodes)
    return ModuleCost(name, kind, part.output_shape, params, macs, peak_values(part) * BYTES)


def _cut_out(traced: Graph, members: Sequence[int], outputs: Sequence[int]) -> Graph:
    """Some operations as a graph of their own, what they read its inputs."""
    part = Graph()
    place: dict[int, int] = {}
    inside = set(members)
    for index in dict.fromkeys(i for member in members for i in traced.nodes[member].inputs if i not in inside):
        place[index] = part.add(Input(traced.nodes[index].shape), name=f"input_{index}")
    part.inputs = list(place.values())
    for index in members:
        node = traced.nodes[index]
        place[index] = len(part.nodes)
        part.nodes.append(Node(node.name, node.op, tuple(place[i] for i in node.inputs), node.shape, node.input_shapes))
    part.outputs = [place[index] for index in outputs]
    return part
