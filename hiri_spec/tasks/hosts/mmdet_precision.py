"""Coordinates in float32, whatever autocast makes of the maps.

mmdetection gives anchors, regions and distances the type of the maps. bfloat16 has 8 bits: at 1,000 pixels it places
them up to 2 pixels off.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map


def keep_exact(detector: nn.Module) -> None:
    """Widen what goes into region extractors and what comes out of heads; convolutions and products stay as they are."""
    from mmdet.models.dense_heads import GFLHead
    from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
    from mmdet.models.roi_heads.bbox_heads import BBoxHead
    from mmdet.models.roi_heads.mask_heads import FCNMaskHead
    from mmdet.models.roi_heads.roi_extractors import BaseRoIExtractor

    for module in list(detector.modules()):
        if isinstance(module, BaseRoIExtractor):
            module.register_forward_pre_hook(widen_inputs)
        elif isinstance(module, BaseDenseHead | BBoxHead | FCNMaskHead):
            module.register_forward_hook(widen_outputs)
        if isinstance(module, GFLHead):
            module.integral = Expectation(module.reg_max)


class Expectation(nn.Module):
    """Logits of a distribution over 0 to `last` for each of four sides, (N, 4 * (last + 1)) → its means (N, 4).

    GFL's own does it by a matrix product, which autocast narrows.
    """

    def __init__(self, last: int) -> None:
        super().__init__()
        self.register_buffer("project", torch.arange(last + 1, dtype=torch.float32))

    def forward(self, logits: Tensor) -> Tensor:
        project: Any = self.project
        chances = logits.float().reshape(-1, 4, len(project)).softmax(dim=2)
        return (chances * project).sum(dim=2)


def widen_inputs(_: nn.Module, inputs: tuple[Any, ...]) -> Any:
    """Half-precision maps among the inputs as float32."""
    return tree_map(widen, inputs)


def widen_outputs(_: nn.Module, __: tuple[Any, ...], outputs: Any) -> Any:
    """Half-precision scores and distances as float32."""
    return tree_map(widen, outputs)


def widen(value: Any) -> Any:
    """A tensor of half precision as float32, anything else as it is."""
    is_half = isinstance(value, Tensor) and value.dtype in (torch.bfloat16, torch.float16)
    return value.float() if is_half else value
