"""The tensors of a network by name, read off its graph, and which of those in a file or a state dict don't fit them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .block import Head
from .errors import Problem, SpecError
from .graph import Shape, Shapes
from .network import MAX_NODES, segments, trace_part
from .schema import ModelSpec

COUNTER = "num_batches_tracked"
BUFFERS = frozenset({"running_mean", "running_var", COUNTER})
"""Last components of the names of tensors that are not learned."""
CLASSIFIER = "fc"
"""Name of the last linear layer in every head."""


class TensorType(NamedTuple):
    """What has to agree for a tensor to be loaded into another."""

    shape: Shape
    is_float: bool = True

    @property
    def size(self) -> int:
        """Number of values."""
        size = 1
        for side in self.shape:
            size *= side
        return size


def is_learned(name: str) -> bool:
    """Whether a tensor is a parameter, by its name; batch norms keep statistics beside theirs."""
    return name.rpartition(".")[2] not in BUFFERS


def tensor_types(spec: ModelSpec, *, has_head: bool = True, has_classifier: bool = True) -> dict[str, TensorType]:
    """The state dict of the built model, without its values.

    `has_head` is False for a model built with features_only, `has_classifier` for one with 0 classes. Raises SpecError
    for a network of more than half a million operations.
    """
    types: dict[str, TensorType] = {}
    shape: Shapes = (spec.in_channels, *spec.size)
    operations = 0
    for segment in segments(spec):
        traced = trace_part(segment.part, shape, segment.channels)
        shape = traced.output_shape
        is_head = isinstance(segment.part, Head)
        if is_head and not has_head:
            continue
        operations += len(traced) * (segment.repeats or 1)
        if operations > MAX_NODES:
            message = f"more than {MAX_NODES:,} operations; lower its depth"
            raise SpecError(Problem(message, segment.scope, code="too_large"))
        own = {
            f"{node.name}.{what}": TensorType(size, what != COUNTER)
            for node in traced
            if has_classifier or not is_head or node.name != CLASSIFIER
            for what, size in node.op.tensors().items()
        }
        for module in segment.module_names():
            types |= {f"{module}.{name}": tensor for name, tensor in own.items()}
    return types


def difference(own: TensorType, given: TensorType) -> str:
    """Why one can't be loaded into the other, or nothing."""
    if own.shape != given.shape:
        return f"of another shape: {own.shape} here, {given.shape} there"
    kinds = ["of floats" if each.is_float else "of whole numbers" for each in (own, given)]
    return "" if kinds[0] == kinds[1] else f"of another type: {kinds[0]} here, {kinds[1]} there"


def find_misfits(own: Mapping[str, TensorType], given: Mapping[str, TensorType], *, there: str) -> dict[str, str]:
    """What is wrong with each tensor that doesn't fit, by name; `there` says what the given ones are in.

    First come those that are missing, then those of another shape or type, then those left over.
    """
    missing = {name: f"missing from {there}: {own[name].shape} here" for name in own if name not in given}
    unlike = {name: difference(own[name], given[name]) for name in own if name in given}
    extra = {name: f"not in the model: {given[name].shape} there" for name in given if name not in own}
    return missing | {name: what for name, what in unlike.items() if what} | extra


def misfit_error(misfits: Mapping[str, str], advice: str, *, file: str = "") -> SpecError:
    """An error with a line for each tensor that doesn't fit, and then what to do."""
    problems = [Problem(message, name, code="state_dict") for name, message in misfits.items()]
    return SpecError([*problems, Problem(advice, "" if file else "state_dict", file, code="state_dict")])
