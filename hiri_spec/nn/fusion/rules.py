"""The rules of fusing: each merges operations of a draft where the algebra allows, exactly at every position.

A batch norm in inference and a layer scale are affine, s·x + t for each channel. They go into the convolutions before
them, through sums, upsampling and pooling; or into those after them that pad nothing, as a zero of the padding is not
what t would make of it.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ... import ops
from .draft import Draft, Piece
from .operations import Narrow

Affine = tuple[Tensor, Tensor]
"""Scale and shift of each channel."""


def drop_inactive(draft: Draft) -> None:
    """What does nothing in inference goes."""
    for piece in draft.of(ops.DropPath, ops.Dropout):
        draft.replace(piece, piece.inputs[0])


def flatten_sums(draft: Draft) -> None:
    """A sum that only another sum reads becomes part of it."""
    for piece in draft.of(ops.Add):
        (*users,) = draft.users(piece)
        if draft.has_one_user(piece) and users and isinstance(users[0].op, ops.Add):
            at = users[0].inputs.index(piece)
            users[0].inputs[at : at + 1] = piece.inputs
            draft.pieces.remove(piece)


def fold_backward(draft: Draft) -> None:
    """Affine operations go into the convolutions that lead to them."""
    for piece in draft.of(ops.Norm, ops.LayerScale):
        affine = _affine(piece)
        if affine is not None and _can_absorb(draft, piece.inputs[0]):
            _absorb(piece.inputs[0], *affine)
            draft.replace(piece, piece.inputs[0])


def fold_forward(draft: Draft) -> None:
    """Affine operations go into the pointwise convolutions and linear layers that read them."""
    for piece in draft.of(ops.Norm, ops.LayerScale):
        affine = _affine(piece)
        if affine is not None and piece not in draft.outputs and _can_precede(draft, piece):
            for user in draft.users(piece):
                _precede(draft, user, *affine)
            draft.replace(piece, piece.inputs[0])


def merge_identity(draft: Draft) -> None:
    """In x + depthwise(x), x becomes one more weight at the centre of the kernel."""
    for piece in draft.of(ops.Add):
        for source in piece.inputs:
            if source.inputs and source.inputs[0] in piece.inputs and _is_same_depthwise(draft, source):
                weight = source.tensors["weight"].clone()
                centre = weight.shape[-1] // 2
                weight[..., centre, centre] += 1
                source.tensors = {**source.tensors, "weight": weight}
                piece.inputs.remove(source.inputs[0])
                break
        if len(piece.inputs) == 1:
            draft.replace(piece, piece.inputs[0])


def pack_siblings(draft: Draft) -> None:
    """Query, key and value of one source, or key and value, become one product."""
    for piece in draft.of(ops.Attention, ops.WindowAttention, ops.ChannelAttention):
        for source in dict.fromkeys(_source(each) for each in piece.inputs):
            siblings = [each for each in dict.fromkeys(piece.inputs) if _source(each) is source]
            if source is not None and len(siblings) > 1 and all(draft.has_one_user(each) for each in siblings):
                _pack(draft, siblings)


RULES = (drop_inactive, flatten_sums, fold_backward, fold_forward, merge_identity, pack_siblings)
RULES_OF_THE_HEAD = tuple(rule for rule in RULES if rule is not fold_forward)
"""What the classifier reads is asked for by others too, and it may be replaced."""


def _affine(piece: Piece) -> Affine | None:
    """Scale and shift of an affine operation."""
    tensors = piece.tensors
    if isinstance(piece.op, ops.LayerScale):
        scale = tensors["gamma"]
        return scale, torch.zeros_like(scale)
    if isinstance(piece.op, ops.Norm) and piece.op.norm == "batch":
        scale = tensors["weight"] * (tensors["running_var"] + piece.op.eps).rsqrt()
        return scale, tensors["bias"] - tensors["running_mean"] * scale
    return None


def _can_absorb(draft: Draft, piece: Piece) -> bool:
    """Whether scales and shifts of what a piece returns can be put into weights before it."""
    if not draft.has_one_user(piece):
        return False
    match piece.op:
        case ops.Conv() | ops.Linear():
            return True
        case ops.Add():
            return all(_can_absorb(draft, source) for source in piece.inputs)
        case ops.Upsample() | ops.AveragePool() | ops.GlobalPool() | ops.AdaptivePool() | ops.Crop() | ops.Roll():
            return _can_absorb(draft, piece.inputs[0])
    return False


def _absorb(piece: Piece, scale: Tensor, shift: Tensor) -> None:
    if isinstance(piece.op, ops.Conv | ops.Linear):
        weight = piece.tensors["weight"]
        bias = piece.tensors.get("bias", torch.zeros_like(shift))
        _set(piece, weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), bias * scale + shift)
    elif isinstance(piece.op, ops.Add):
        for place, source in enumerate(piece.inputs):
            _absorb(source, scale, shift if place == 0 else torch.zeros_like(shift))
    else:
        _absorb(piece.inputs[0], scale, shift)


def _can_precede(draft: Draft, piece: Piece) -> bool:
    """Whether scales and shifts of a piece can be put into the weights of all that read it."""
    for user in draft.users(piece):
        match user.op:
            case ops.Conv() if user.op.padding == 0:
                continue
            case ops.Linear():
                continue
            case ops.GlobalPool() if user not in draft.outputs and _can_precede(draft, user):
                continue
        return False
    return True


def _precede(draft: Draft, user: Piece, scale: Tensor, shift: Tensor) -> None:
    """Put a scale and a shift of what a piece reads into its weights."""
    if isinstance(user.op, ops.GlobalPool):
        for each in draft.users(user):
            _precede(draft, each, scale, shift)
        return
    weight = user.tensors["weight"]
    groups = user.op.groups if isinstance(user.op, ops.Conv) else 1
    # weights are (out, in / groups, …): each output sees the channels of its own group
    per_output = [each.reshape(groups, 1, -1).expand(groups, len(weight) // groups, -1) for each in (scale, shift)]
    scales, shifts = (each.reshape(len(weight), -1, *[1] * (weight.ndim - 2)) for each in per_output)
    moved = (weight * shifts).flatten(1).sum(1)
    _set(user, weight * scales, user.tensors["bias"] + moved if "bias" in user.tensors else moved)


def _set(piece: Piece, weight: Tensor, bias: Tensor) -> None:
    assert isinstance(piece.op, ops.Conv | ops.Linear)
    piece.op = replace(piece.op, bias=True)
    piece.tensors = {"weight": weight, "bias": bias}


def _is_same_depthwise(draft: Draft, piece: Piece) -> bool:
    """Whether a piece is a depthwise convolution that keeps sizes and that nobody else reads."""
    op = piece.op
    return (
        isinstance(op, ops.Conv)
        and op.groups == op.channels_in == op.channels_out
        and op.stride == 1
        and op.padding == op.kernel // 2
        and draft.has_one_user(piece)
    )


def _source(piece: Piece) -> Piece | None:
    """What a dense pointwise convolution reads."""
    op = piece.op
    is_pointwise = isinstance(op, ops.Conv) and (op.kernel, op.stride, op.groups) == (1, 1, 1)
    return piece.inputs[0] if is_pointwise else None


def _pack(draft: Draft, siblings: list[Piece]) -> None:
    """Put pointwise convolutions of one source into one, and take from it what each gave."""
    first = siblings[0]
    widths = [len(each.tensors["weight"]) for each in siblings]
    scope, _, _ = first.name.rpartition(".")
    name = "_".join(each.name.rpartition(".")[2] for each in siblings)
    assert isinstance(first.op, ops.Conv)
    tensors = {key: torch.cat([_get(each, key) for each in siblings]) for key in ("weight", "bias")}
    op = replace(first.op, channels_out=sum(widths), bias=True)
    shape = (sum(widths), *first.shape[1:])
    packed = Piece(f"{scope}.{name}" if scope else name, op, first.inputs, shape, tensors, first.dtype)
    draft.insert(packed, min(siblings, key=draft.pieces.index))
    start = 0
    for each, width in zip(siblings, widths, strict=True):
        each.op, each.inputs, each.tensors = Narrow(start, width), [packed], {}
        start += width


def _get(piece: Piece, key: str) -> Tensor:
    weight = piece.tensors["weight"]
    return piece.tensors[key] if key in piece.tensors else weight.new_zeros(len(weight))
