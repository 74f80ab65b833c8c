"""A traced part as a torch module: its operations as named children, called in the order of the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from ..graph import Graph
from ..scopes import Scope, read_scopes
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
    module = _wire(read_scopes(part), title, rates)
    module.part = part
    return module


def _wire(scope: Scope, title: str, rates: Rates) -> Wired:
    """Build one level: a scope inside becomes a child with steps of its own."""
    module = Wired(title, scope.inputs, scope.outputs)
    for call in scope.calls:
        function: Callable[..., Any] | None = None
        if isinstance(call.what, Scope):
            title = call.name.replace("_", " ").title().replace(" ", "")
            module.add_module(call.name, _wire(call.what, title, rates))
        else:
            realised = realise(call.what, rates)
            if isinstance(realised, nn.Module):
                module.add_module(call.name, realised)
            else:
                function = realised
        module.steps.append(Step(call.name, function, call.inputs, call.outputs, call.releases))
    return module
