"""A fused part → the same part in one way of computing it: convolutions joined with what follows, in one layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ... import ops
from ...graph import Op, Shape
from ..fusion.draft import Draft, Piece
from ..fusion.operations import Kept
from ..wired import Wired
from .products import LinearProduct, PackedProduct, Product, can_pack

Layout = Literal["contiguous", "channels_last"]
Form = Literal["conv", "linear", "packed"]
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


@dataclass(frozen=True, slots=True)
class Way:
    """How a part is computed: the layout of its maps, and what computes its products."""

    layout: Layout
    form: Form

    @property
    def name(self) -> str:
        """Layout and form, as tables show them."""
        return f"{self.layout} {self.form}"


WAYS = (
    Way("contiguous", "conv"),
    Way("contiguous", "linear"),
    Way("channels_last", "conv"),
    Way("channels_last", "linear"),
    Way("channels_last", "packed"),  # the packed ones give channels-last whatever they take
)


def list_ways(device: torch.device, dtype: torch.dtype) -> list[Way]:
    """The ways that this machine has."""
    return [way for way in WAYS if way.form != "packed" or can_pack(device, dtype)]


@dataclass(slots=True, unsafe_hash=True)
class Joined(Op):
    """A convolution, the sum that it goes into, and the activation behind."""

    conv: ops.Conv
    activation: str = ""
    has_sum: bool = False
    kind: ClassVar[str] = "joined"

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.conv.output_shape(inputs[0])


class Arrange(nn.Module):
    """A map in a layout; nothing to do where it is so already."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout

    def forward(self, x: Tensor) -> Tensor:
        return x.contiguous(memory_format=FORMATS[self.layout])

    def extra_repr(self) -> str:
        return self.layout


def convert(part: Wired, way: Way, inputs: Sequence[Tensor]) -> Wired:
    """The part computed in one way, its packed weights for inputs like these."""
    shapes = _record_shapes(part, inputs) if way.form == "packed" else {}
    draft = Draft(part)
    for piece in draft.of(ops.Conv):
        assert isinstance(piece.op, ops.Conv)
        piece.op = Joined(piece.op)
    join_activations(draft)
    join_sums(draft)
    join_activations(draft)
    for piece in draft.of(Joined):
        piece.op, piece.tensors = Kept(_make_product(piece, way, shapes)), {}
    _arrange(draft, way.layout)
    return draft.to_module().eval().requires_grad_(requires_grad=False)


def join_activations(draft: Draft) -> None:
    """An activation that alone reads a convolution, or its sum, is computed with it."""
    for piece in draft.of(ops.Activation):
        source = piece.inputs[0]
        if isinstance(source.op, Joined) and not source.op.activation and draft.has_one_user(source):
            assert isinstance(piece.op, ops.Activation)
            source.op.activation = piece.op.activation
            draft.replace(piece, source)


def join_sums(draft: Draft) -> None:
    """A sum of two is computed with the last convolution that alone it reads."""
    for piece in draft.of(ops.Add):
        for source, other in (piece.inputs[::-1], piece.inputs) if len(piece.inputs) == 2 else ():
            if isinstance(source.op, Joined) and source.op == Joined(source.op.conv) and draft.has_one_user(source):
                source.op.has_sum = True
                source.inputs = [*source.inputs, other]
                draft.pieces.remove(source)  # to where both of its inputs are there
                draft.insert(source, piece)
                draft.replace(piece, source)
                break


def _record_shapes(part: Wired, inputs: Sequence[Tensor]) -> dict[str, tuple[int, ...]]:
    """The shape of what each convolution of a part is given."""
    shapes: dict[str, tuple[int, ...]] = {}
    hooks = []
    for name, module in part.named_modules():
        if isinstance(module, nn.Conv2d):

            def keep(module: nn.Module, given: tuple[Tensor, ...], name: str = name) -> None:
                shapes[name] = tuple(given[0].shape)

            hooks.append(module.register_forward_pre_hook(keep))
    try:
        part(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return shapes


def _make_product(piece: Piece, way: Way, shapes: Mapping[str, tuple[int, ...]]) -> Product:
    assert isinstance(piece.op, Joined)
    conv, activation = piece.op.conv, piece.op.activation
    tensors = piece.own_tensors()
    weight, bias = tensors["weight"], tensors.get("bias")
    if way.form == "linear" and LinearProduct.suits(conv):
        return LinearProduct(conv, weight, bias, activation)
    if way.form == "packed":
        return PackedProduct(conv, weight, bias, activation, shapes[piece.name])
    return Product(conv, weight.contiguous(memory_format=FORMATS[way.layout]), bias, activation)


def _arrange(draft: Draft, layout: Layout) -> None:
    """Put the part's inputs into the layout."""
    for number, source in enumerate(list(draft.inputs)):
        arranged = Piece(f"arrange{number}", Kept(Arrange(layout)), [source], source.shape, {})
        _redirect(draft.pieces, source, arranged)
        draft.pieces.insert(draft.pieces.index(source) + 1, arranged)
        draft.outputs = [arranged if output is source else output for output in draft.outputs]


def _redirect(pieces: Sequence[Piece], old: Piece, new: Piece) -> None:
    for piece in pieces:
        piece.inputs = [new if source is old else source for source in piece.inputs]
