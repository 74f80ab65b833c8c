"""What is changed of mmdetection's modules once they are built: hooks, and one layer.

Coordinates are computed in float32, whatever autocast makes of the maps. mmdetection gives anchors, regions and
distances the type of the maps, and bfloat16, of 8 bits, places them up to 2 pixels off at 1,000.

Losses by the number of objects are divided by one at least. Sparse R-CNN's are divided by nothing (2 ** -23) where no
image of a batch holds any: a step on such a batch had losses of millions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map


def amend(detector: Any) -> None:
    """Change a detector of mmdetection so; convolutions and products keep the type that autocast gives them."""
    from mmdet.models.dense_heads import GFLHead
    from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
    from mmdet.models.roi_heads.bbox_heads import BBoxHead, DIIHead
    from mmdet.models.roi_heads.mask_heads import FCNMaskHead

    if hasattr(detector, "roi_head"):
        detector.neck.register_forward_hook(widen_outputs)
    for module in list(detector.modules()):
        if isinstance(module, BaseDenseHead | BBoxHead | FCNMaskHead):
            module.register_forward_hook(widen_outputs)
        if isinstance(module, GFLHead):
            module.integral = Expectation(module.reg_max)
        if isinstance(module, DIIHead):
            for loss in (module.loss_cls, module.loss_bbox, module.loss_iou):
                loss.register_forward_pre_hook(divide_by_one_at_least, with_kwargs=True)


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


def divide_by_one_at_least(_: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any]:
    """A loss's arguments with no divisor below one."""
    return inputs, {**named, "avg_factor": named["avg_factor"].clamp(min=1)}


def widen_outputs(_: nn.Module, __: tuple[Any, ...], outputs: Any) -> Any:
    """Half-precision maps, scores and distances as float32."""
    return tree_map(widen, outputs)


def widen(value: Any) -> Any:
    """A tensor of half precision as float32, anything else as it is."""
    is_half = isinstance(value, Tensor) and value.dtype in (torch.bfloat16, torch.float16)
    return value.float() if is_half else value
