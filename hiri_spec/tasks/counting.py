"""A counter of multiply-adds that passes over no operator in silence, and the parameters that take part.

It counts what the project counts (docs/costs.md): convolutions, linear layers, and both products of attention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
import torchvision  # noqa: F401 (its operators are known by name once it is imported)
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from ..errors import Problem, SpecError

aten = torch.ops.aten
NORMS = "native_batch_norm cudnn_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training \
    _batch_norm_no_update native_layer_norm native_group_norm _fused_rms_norm linalg_vector_norm"
REDUCTIONS = "sum mean amax amin max min var_mean var std any all argmax argmin cumsum prod _softmax _log_softmax \
    softmax log_softmax _safe_softmax logsumexp"
POOLING = "max_pool2d_with_indices avg_pool2d _adaptive_avg_pool2d adaptive_max_pool2d max_pool2d"
INTERPOLATION = "upsample_nearest2d _upsample_nearest_exact2d upsample_bilinear2d upsample_bicubic2d \
    _upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler_2d"
PLACEMENT = "cat stack clone copy _to_copy repeat roll flip index index_select index_put _index_put_impl gather \
    scatter masked_fill constant_pad_nd reflection_pad2d _unsafe_view embedding topk sort nonzero arange linspace \
    tril triu eye meshgrid one_hot bucketize where pixel_shuffle pixel_unshuffle channel_shuffle native_dropout \
    im2col col2im unsafe_split unsafe_split_with_sizes unsafe_chunk _local_scalar_dense"
IN_PLACE = "set_ detach_ as_strided_ squeeze_ unsqueeze_ t_ transpose_ resize_"  # views and sizes
POINTWISE = "rsub hardswish hardsigmoid"  # without torch's mark
CREATION = "empty empty_like empty_strided new_empty new_empty_strided zeros zeros_like new_zeros ones ones_like \
    new_ones full full_like new_full scalar_tensor lift_fresh lift_fresh_copy rand randn rand_like randn_like \
    randint randperm fill zero uniform normal bernoulli _efficientzerotensor"
WITHOUT_PRODUCTS = frozenset(
    " ".join((NORMS, REDUCTIONS, POOLING, INTERPOLATION, PLACEMENT, IN_PLACE, POINTWISE, CREATION)).split()
)
"""aten's operators that are not counted, besides views and those that work on one number at a time."""

Formula = Callable[..., int]


def _vectors(first: Tensor, second: Tensor, *_: Any, **__: Any) -> int:
    """Matrix by vector, vector by vector."""
    return first.numel()


def _vectors_added(added: Tensor, matrix: Tensor, *_: Any, **__: Any) -> int:
    return matrix.numel()


def _outer(added: Tensor, first: Tensor, second: Tensor, *_: Any, **__: Any) -> int:
    return first.numel() * second.numel()


def _batches_added(added: Tensor, first: Tensor, second: Tensor, *_: Any, **__: Any) -> int:
    return first.numel() * second.shape[-1]


def _linear(features: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    return features.numel() * weight.shape[0]


def _self_attention(query: Tensor, key: Tensor, value: Tensor, width: int, *_: Any, **__: Any) -> int:
    """nn.MultiheadAttention's kernel for inference: (B, N, C) through four linear layers, and both products."""
    batch, positions = query.shape[:2]
    others = key.shape[1]
    layers = 2 * positions * width**2 + 2 * others * width**2
    return batch * (layers + 2 * positions * others * width)


def _scaled_products(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    """Attention of (…, N, d): each head's scores, and their sum of values."""
    positions, others = query.shape[-2], key.shape[-2]
    return prod(query.shape[:-2]) * positions * others * (query.shape[-1] + value.shape[-1])


OWN_FORMULAS: dict[Any, Formula] = {
    aten.mv: _vectors,
    aten.dot: _vectors,
    aten.vdot: _vectors,
    aten.addmv: _vectors_added,
    aten.addr: _outer,
    aten.addbmm: _batches_added,
    aten.linear: _linear,
    aten._native_multi_head_attention: _self_attention,
    aten._scaled_dot_product_attention_math: _scaled_products,
    aten._scaled_dot_product_attention_math_for_mps: _scaled_products,
    aten._scaled_dot_product_fused_attention_overrideable: _scaled_products,
}
"""Multiply-adds of operators that torch's counter has no formula for, from their arguments."""


def interpolation_macs(
    pixels: Tensor, boxes: Tensor, scale: float, height: int, width: int, ratio: int, *_: Any, **__: Any
) -> int:
    """Of torchvision's roi_align: each sample is a weighted sum of four pixels.

    Where the number of samples depends on the region's size, it is taken as two by two, which those off a pyramid have.
    """
    samples = ratio if ratio > 0 else 2
    return len(boxes) * pixels.shape[1] * height * width * samples**2 * 4


@dataclass
class PartCount:
    """What one part of a model does: multiply-adds, the parameters that it reads, regions and their interpolation."""

    macs: int = 0
    interpolation_macs: int = 0
    regions: int = 0
    parameters: dict[int, nn.Parameter] = field(default_factory=dict)

    @property
    def params(self) -> int:
        """Numbers in the parameters that it reads."""
        return sum(parameter.numel() for parameter in self.parameters.values())


class OperatorCounter(TorchDispatchMode):
    """Counts every operator that runs within it, by the `part` that it runs in.

    Raises SpecError that names an operator which it neither has a formula for nor knows to be without products.
    """

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, PartCount] = {}
        self._here = PartCount()

    @contextmanager
    def part(self, name: str) -> Iterator[PartCount]:
        """What runs within belongs to a part of that name."""
        before, self._here = self._here, self.parts.setdefault(name, PartCount())
        try:
            yield self._here
        finally:
            self._here = before

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        packet = func._overloadpacket
        has_formula = packet in OWN_FORMULAS or packet in flop_registry
        if not has_formula and not is_productless(func) and func._can_decompose():
            with self:  # what it is made of is counted
                return func.decompose(*args, **kwargs)
        result = func(*args, **kwargs)
        self._count(func, args, kwargs, result)
        return result

    def _count(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        packet = func._overloadpacket
        for value in tree_leaves((args, kwargs)):
            if isinstance(value, nn.Parameter):
                self._here.parameters[id(value)] = value
        if packet in OWN_FORMULAS:
            self._here.macs += OWN_FORMULAS[packet](*args, **kwargs)
        elif packet in flop_registry:
            self._here.macs += flop_registry[packet](*args, **kwargs, out_val=result) // 2
        elif packet is torch.ops.torchvision.roi_align:
            self._here.interpolation_macs += interpolation_macs(*args, **kwargs)
            self._here.regions += len(args[1])
        elif not is_productless(func):
            message = f"{func} runs in this model, and what it costs is not known; add a formula for it to counting.py"
            raise SpecError(Problem(message, code="uncounted"))


def is_productless(func: Any) -> bool:
    """Whether an operator has no products that count: it looks at numbers, moves them, or works on one at a time."""
    name = func._schema.name.rpartition("::")[2]
    if func.namespace == "torchvision":
        return bool(name == "nms")
    if func.namespace == "prim":
        return bool(name == "device")
    if func.namespace != "aten":
        return False
    if torch.Tag.pointwise in func.tags or name.removesuffix("_") in WITHOUT_PRODUCTS or name in WITHOUT_PRODUCTS:
        return True
    aliases = [argument.alias_info for argument in func._schema.arguments if argument.alias_info is not None]
    return bool(aliases) and not any(alias.is_write for alias in aliases)  # a view
