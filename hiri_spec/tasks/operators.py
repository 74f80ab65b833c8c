"""Operators of compiled mmcv, served by torchvision where mmcv is installed without them, as it is from its index."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch
import torchvision
from torch import Tensor

from ..errors import Problem, SpecError

NAME = "mmcv._ext"
AVERAGE = 1
"""mmcv's number for averaging what a bin of roi_align holds; 0 is for its largest."""


class Operators(ModuleType):
    """What stands in for the compiled module: three operators, and for any other name a function that says why not.

    The functions have mmcv's own conventions: results are written into tensors that are given.
    """

    def __init__(self) -> None:
        super().__init__(NAME, self.__doc__)
        self.__spec__ = ModuleSpec(NAME, loader=None)
        self.nms = nms
        self.roi_align_forward = roi_align_forward
        self.roi_align_backward = roi_align_backward
        self.sigmoid_focal_loss_forward = sigmoid_focal_loss_forward
        self.sigmoid_focal_loss_backward = sigmoid_focal_loss_backward

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(f"module {NAME!r} has no attribute {name!r}")

        def refuse(*_: Any, **__: Any) -> Any:
            raise not_here(name)

        return refuse


def not_here(name: str) -> SpecError:
    """The error of an operator that needs compiled mmcv."""
    message = (
        f"mmcv's operator {name} is a compiled one, and mmcv is installed without those; none of our heads needs it. "
        "For others build mmcv with its operators"
    )
    return SpecError(Problem(message, "mmcv", code="missing"))


def install_operators() -> None:
    """Put the stand-in where mmcv looks for its compiled module, unless that is there. Call it before mmcv.ops loads.

    Raises ImportError where there is no mmcv at all.
    """
    if NAME not in sys.modules and find_spec(NAME) is None:
        sys.modules[NAME] = Operators()


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Indices of the boxes (N, 4) that no surer one overlaps by more than the threshold, the surest first.

    Of equal scores the one that comes first is the surer; compiled mmcv leaves open which. With an offset of 1 a box
    reaches to the end of its last pixel.
    """
    boxes = boxes.to(exact(boxes))
    if offset:
        boxes = torch.cat([boxes[:, :2], boxes[:, 2:] + offset], dim=1)
    return torchvision.ops.nms(boxes, scores.to(boxes.dtype), iou_threshold)


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Means of maps (B, C, H, W) in the bins of rois (K, 5) → output (K, C, height, width)."""
    if pool_mode != AVERAGE:
        raise not_here("roi_align with pool_mode='max'")
    kind = exact(input)
    output.copy_(
        torch.ops.torchvision.roi_align(
            input.to(kind), rois.to(kind), spatial_scale, aligned_height, aligned_width, sampling_ratio, aligned
        )
    )


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Gradients of those means → grad_input (B, C, H, W)."""
    kind = exact(grad_output)
    grad_input.copy_(
        torch.ops.torchvision._roi_align_backward(
            grad_output.to(kind),
            rois.to(kind),
            spatial_scale,
            aligned_height,
            aligned_width,
            *grad_input.shape,
            sampling_ratio,
            aligned,
        )
    )


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, *, gamma: float, alpha: float
) -> None:
    """Focal loss of logits (N, C) against class indices (N,), C for the background, → output (N, C)."""
    is_class, chance, log_chance, log_rest = focal_terms(input, target)
    of_class = -alpha * (1 - chance).pow(gamma) * log_chance
    of_rest = (alpha - 1) * chance.pow(gamma) * log_rest
    output.copy_(torch.where(is_class, of_class, of_rest) * row_weights(weight, target, chance))


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, *, gamma: float, alpha: float
) -> None:
    """Derivatives of each element of that loss by its own logit → grad_input (N, C)."""
    is_class, chance, log_chance, log_rest = focal_terms(input, target)
    rest = 1 - chance
    of_class = -alpha * rest.pow(gamma) * (rest - gamma * chance * log_chance)
    of_rest = (alpha - 1) * chance.pow(gamma) * (gamma * rest * log_rest - chance)
    grad_input.copy_(torch.where(is_class, of_class, of_rest) * row_weights(weight, target, chance))


def focal_terms(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Where the target is, probabilities p, log p and log (1 - p), each (N, C).

    Logs come from the logits: compiled mmcv takes them of p, which it cuts at the least float, so that a sure mistake
    costs 87 at most.
    """
    logits = logits.to(exact(logits))
    is_class = target[:, None] == torch.arange(logits.shape[1], device=logits.device)
    log_chance = torch.nn.functional.logsigmoid(logits)
    return is_class, logits.sigmoid(), log_chance, torch.nn.functional.logsigmoid(-logits)


def row_weights(weight: Tensor, target: Tensor, like: Tensor) -> Tensor:
    """Weights by class (C,) or none (0,) → those of rows (N, 1); the background's is 1.

    Compiled mmcv reads beyond the end for it.
    """
    if weight.numel() == 0:
        return like.new_ones(1, 1)
    padded = torch.cat([weight.to(like.dtype), like.new_ones(1)])
    is_class = (target >= 0) & (target < weight.numel())
    return padded[torch.where(is_class, target, weight.numel())][:, None]


def exact(tensor: Tensor) -> torch.dtype:
    """The type to compute in: half precisions place boxes of a large image pixels off."""
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32
