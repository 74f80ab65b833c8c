"""What every registered part and every built-in spec is held to: independent counts of the built torch module.

fvcore counts each operator from its traced inputs; it has no rule for fused attention, so we hand it one. torch's
FlopCounterMode has its own rule for it and counts two FLOPs a MAC.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from fvcore.nn import FlopCountAnalysis
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

COUNTED = {"conv", "linear", "addmm", "matmul", "scaled_dot_product_attention"}
"""fvcore's operator names for what papers count; norms, pooling and upsampling are left out of the sum."""


def attention_macs(inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
    """MACs of both attention products, from the shapes (…, queries, d), (…, keys, d), (…, keys, d')."""
    query, key, value = (tensor.type().sizes() for tensor in inputs[:3])
    return math.prod(query[:-2]) * query[-2] * key[-2] * (query[-1] + value[-1])


def count_with_fvcore(module: nn.Module, *images: torch.Tensor) -> int:
    """MACs of one forward pass, by fvcore."""
    analysis = FlopCountAnalysis(module, images)
    analysis.set_op_handle("aten::scaled_dot_product_attention", attention_macs)
    analysis.unsupported_ops_warnings(False)
    analysis.uncalled_modules_warnings(False)
    analysis.tracer_warnings("none")
    return sum(int(count) for name, count in analysis.by_operator().items() if name in COUNTED)


def count_with_torch(module: nn.Module, *images: torch.Tensor) -> int:
    """MACs of one forward pass, by torch's FlopCounterMode."""
    with FlopCounterMode(display=False) as counter:
        module(*images)
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return flops // 2


def count_params(module: nn.Module) -> int:
    """Learned parameters of a module."""
    return sum(parameter.numel() for parameter in module.parameters())


def bytes_kept_by_autograd(module: nn.Module, *images: torch.Tensor) -> int:
    """Bytes of the distinct tensors that a forward pass keeps for the backward pass, parameters and buffers aside."""
    own = {tensor.untyped_storage().data_ptr() for tensor in [*module.parameters(), *module.buffers()]}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        address = tensor.untyped_storage().data_ptr()
        if address not in own:
            kept[address] = tensor  # holding it keeps its address from being used again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        module(*images)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
