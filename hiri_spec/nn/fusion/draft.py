"""A traced part with its weights, taken apart so that rules can merge its operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from timm.layers import DropPath
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ... import ops
from ...graph import Graph, Node, Op, Shape
from ..realise import Rates, realise
from ..wired import Wired, wire_module
from .operations import Kept

HOOKS = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
)
"""Where a module keeps what is called with it."""
INACTIVE = (DropPath, nn.Dropout)
"""Modules whose rates don't matter in inference."""


@dataclass(slots=True, eq=False)
class Piece:
    """One operation, what it reads, and the tensors of its module."""

    name: str
    op: Op
    inputs: list[Piece]
    shape: Shape
    tensors: Mapping[str, Tensor]
    dtype: torch.dtype | None = None
    """Of the module's own tensors, where `tensors` are wider for the sake of what is computed with them."""

    def own_tensors(self) -> dict[str, Tensor]:
        """The tensors in the module's own type."""
        return {
            key: tensor.to(self.dtype) if self.dtype is not None and tensor.is_floating_point() else tensor
            for key, tensor in self.tensors.items()
        }


class Draft:
    """The pieces of a part in the order of their execution."""

    def __init__(self, module: Wired) -> None:
        part = module.part
        assert part is not None
        self.module = module
        self.pieces: list[Piece] = []
        for node in part:
            inputs = [self.pieces[index] for index in node.inputs]
            op, tensors, own = node.op, {}, _find(module, node.name)
            dtype = None
            if own is not None:
                tensors = {key: _widen(tensor.detach().clone()) for key, tensor in own.state_dict().items()}
                dtype = next((each.dtype for each in own.parameters()), None)
                # `reset_classifier` may have put in one of other classes
                if isinstance(op, ops.Linear) and type(own) is nn.Linear:
                    op = ops.Linear(own.in_features, own.out_features, own.bias is not None)
                if not _is_as_built(op, own):
                    op, tensors = Kept(own), {}
            self.pieces.append(Piece(node.name, op, inputs, node.shape, tensors, dtype))
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
        module = wire_module(graph, self.module.title, Rates())
        for piece in self.pieces:
            if piece.tensors:  # assigned, not copied, to keep their device, type and layout
                module.get_submodule(piece.name).load_state_dict(piece.own_tensors(), assign=True)
        _carry_hooks(self.module, module)
        return module


def _find(module: Wired, name: str) -> nn.Module | None:
    """The module of one operation; a function has none."""
    own: nn.Module | None = module
    for step in name.split("."):
        own = getattr(own, step, None)
    return own


def _widen(tensor: Tensor) -> Tensor:
    """In float32 at least: products and sums of weights in bfloat16 would add to what bfloat16 rounds anyway."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor


def _is_as_built(op: Op, own: nn.Module) -> bool:
    """Whether a module computes what its operation says, is nobody else's in its place, and nobody listens to it."""
    if own._forward_hooks or own._forward_pre_hooks:
        return False
    with torch.device("meta"):
        expected = realise(op, Rates())
    if isinstance(own, _BatchNorm) and isinstance(expected, _BatchNorm):  # such as SyncBatchNorm
        own_fields, fields = ((each.num_features, each.eps, each.affine) for each in (own, expected))
        return own_fields == fields and own.track_running_stats
    if isinstance(own, INACTIVE):
        return type(own) is type(expected)
    is_same = type(own) is type(expected) and own.extra_repr() == expected.extra_repr()
    return is_same and sum(parameter.numel() for parameter in own.parameters()) == op.params()


def _carry_hooks(old: Wired, new: Wired) -> None:
    """Hooks of a part, and of the scopes in it, go on hearing of the new one; other modules with hooks stay as is."""
    kept = dict(new.named_modules())
    for name, module in old.named_modules():
        if isinstance(module, Wired) and name in kept:
            for hooks in HOOKS:
                getattr(kept[name], hooks).update(getattr(module, hooks))
