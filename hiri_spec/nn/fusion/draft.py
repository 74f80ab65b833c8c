"""A traced part with its weights, taken apart so that rules can merge its operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ... import ops
from ...graph import Graph, Node, Op, Shape
from ..realise import Rates, realise
from ..resampling import GlobalPool
from ..wired import Wired, wire_module
from .operations import Kept


@dataclass(slots=True, eq=False)
class Piece:
    """One operation, what it reads, and the tensors of its module."""

    name: str
    op: Op
    inputs: list[Piece]
    shape: Shape
    tensors: Mapping[str, Tensor]


class Draft:
    """The pieces of a part in the order of their execution."""

    def __init__(self, module: Wired) -> None:
        part = module.part
        assert part is not None
        self.title = module.title
        self.pieces: list[Piece] = []
        for node in part:
            inputs = [self.pieces[index] for index in node.inputs]
            op, tensors, own = node.op, {}, _find(module, node.name)
            if own is not None:
                tensors = {key: tensor.detach().clone() for key, tensor in own.state_dict().items()}
                if (
                    isinstance(op, ops.Linear) and type(own) is nn.Linear
                ):  # `reset_classifier` may have put in one of other classes
                    op = ops.Linear(own.in_features, own.out_features, own.bias is not None)
                if not _is_as_built(op, own):
                    op, tensors = Kept(own), {}
            self.pieces.append(Piece(node.name, op, inputs, node.shape, tensors))
        self.inputs = [self.pieces[index] for index in part.inputs]
        self.outputs = [self.pieces[index] for index in part.outputs]

    def of(self, *kinds: type[Op]) -> Iterator[Piece]:
        """The pieces of some kinds; the list may change meanwhile."""
        yield from [piece for piece in self.pieces if isinstance(piece.op, kinds)]

    def users(self, piece: Piece) -> list[Piece]:
        """Who reads a piece, once for each time."""
        return [user for user in self.pieces for source in user.inputs if source is piece]

    def has_one_user(self, piece: Piece) -> bool:
        """Whether a piece is read once, and so can change without anybody else noticing."""
        return len(self.users(piece)) + self.outputs.count(piece) == 1

    def replace(self, old: Piece, new: Piece) -> None:
        """Let everybody who reads one piece read another, and take the one out."""
        self.pieces.remove(old)
        for piece in self.pieces:
            piece.inputs = [new if source is old else source for source in piece.inputs]
        self.outputs = [new if output is old else output for output in self.outputs]

    def insert(self, piece: Piece, before: Piece) -> None:
        """Put a new piece in front of another."""
        self.pieces.insert(self.pieces.index(before), piece)

    def to_module(self) -> Wired:
        """Wire what has become of the part, with its weights."""
        graph = Graph()
        place = {id(piece): index for index, piece in enumerate(self.pieces)}
        for piece in self.pieces:
            inputs = tuple(place[id(source)] for source in piece.inputs)
            shapes = tuple(source.shape for source in piece.inputs)
            graph.nodes.append(Node(piece.name, piece.op, inputs, piece.shape, shapes))
        graph.inputs = [place[id(piece)] for piece in self.inputs]
        graph.outputs = [place[id(piece)] for piece in self.outputs]
        module = wire_module(graph, self.title, Rates())
        for piece in self.pieces:
            if piece.tensors:  # assigned, not copied, to keep their device, type and layout
                module.get_submodule(piece.name).load_state_dict(piece.tensors, assign=True)
        return module


def _find(module: Wired, name: str) -> nn.Module | None:
    """The module of one operation; a function has none."""
    own: nn.Module | None = module
    for step in name.split("."):
        own = getattr(own, step, None)
    return own


def _is_as_built(op: Op, own: nn.Module) -> bool:
    """Whether a module computes what its operation says, and is nobody else's in its place."""
    with torch.device("meta"):
        expected = realise(op, Rates())
    is_norm = isinstance(own, _BatchNorm) and isinstance(expected, _BatchNorm)  # such as SyncBatchNorm
    is_same = is_norm or type(own) is type(expected)
    is_mean = not isinstance(own, GlobalPool) or own.pooling == "avg"
    return is_same and is_mean and sum(parameter.numel() for parameter in own.parameters()) == op.params()
