"""A traced part as a torch module: its operations as named children, called in the order of the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from ..graph import Graph, Node
from .realise import Rates, realise


class Step(NamedTuple):
    """One call: a child by name or else a function, where arguments and results lie, what is done with then."""

    child: str
    function: Callable[..., Any] | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    releases: tuple[int, ...]


class Wired(nn.Module):
    """Runs the steps of one part or of one named scope inside it; prints and is keyed like a hand-written module."""

    def __init__(self, title: str, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        super().__init__()
        self.title = title
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.steps: list[Step] = []
        self.part: Graph | None = None
        """What it was wired from; None for a scope inside a part."""

    def _get_name(self) -> str:
        return self.title

    def forward(self, *inputs: Any) -> Any:
        # several streams come as one tuple from what runs modules in sequence
        return self.run(inputs[0] if isinstance(inputs[0], tuple) else inputs)

    def run(self, inputs: Sequence[Tensor], *, start: str | None = None, before: str | None = None) -> Any:
        """Run all steps, or those from the child `start` on, given what that child takes.

        `before` names a child to stop at, and gives what that child would be given.
        """
        first = 0 if start is None else [step.child for step in self.steps].index(start)
        taken = self.inputs if start is None else self.steps[first].inputs
        values: dict[int, Any] = dict(zip(taken, inputs, strict=True))
        for child, function, sources, results, releases in self.steps[first:]:
            if before is not None and child == before:
                return values[sources[0]]
            call = function or getattr(self, child)
            out = call(*[values[index] for index in sources])
            for index in releases:
                del values[index]
            if len(results) == 1:
                values[results[0]] = out
            else:
                values.update(zip(results, out, strict=True))
        if len(self.outputs) == 1:
            return values[self.outputs[0]]
        return tuple(values[index] for index in self.outputs)


def wire_module(part: Graph, title: str, rates: Rates) -> Wired:
    """Build the module of a traced part; raises ValueError where an operation's result is never used."""
    part.check_used()
    indices = [index for index in range(len(part.nodes)) if index not in part.inputs]
    module = _wire(part, indices, 0, title, part.inputs, part.outputs, rates)
    module.part = part
    return module


def _wire(
    part: Graph,
    indices: list[int],
    depth: int,
    title: str,
    inputs: Sequence[int],
    outputs: Sequence[int],
    rates: Rates,
) -> Wired:
    """Build one level: what shares the next component of its name becomes a child with steps of its own."""
    module = Wired(title, inputs, outputs)
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
        function: Callable[..., Any] | None = None
        if node.name.count(".") > depth:
            title = name.replace("_", " ").title().replace(" ", "")
            module.add_module(name, _wire(part, members, depth + 1, title, sources, results, rates))
        else:
            realised = realise(node.op, rates)
            if isinstance(realised, nn.Module):
                module.add_module(name, realised)
            else:
                function = realised
            sources = list(node.inputs)
        module.steps.append(Step(name, function, tuple(sources), tuple(results), releases))
    return module


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
