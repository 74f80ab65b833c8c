"""Right before fast: what a mode computes is held against the plain module's output before it is timed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def settle_statistics(module: nn.Module, images: Tensor) -> None:
    """Give every batch norm the statistics of these images, in place of means of 0 and variances of 1.

    With those, folding a norm wrongly would go unseen, and an untrained network's output may have any scale.
    """
    norms = [each for each in module.modules() if isinstance(each, _BatchNorm) and each.track_running_stats]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    with torch.no_grad():
        if norms:
            module(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.eval()
        norm.momentum = momentum


class DisagreementError(ValueError):
    """A mode computes something else than the plain module."""


def check_agreement(output: Any, reference: Tensor, tolerance: float) -> float:
    """The largest difference between two outputs as a share of the reference's largest value.

    Raises DisagreementError where it is over the tolerance, for other shapes and for values that aren't finite.
    """
    own = torch.as_tensor(output).to(reference.device, torch.float64)
    if own.shape != reference.shape:
        raise DisagreementError(f"its output is {tuple(own.shape)}, the plain model's {tuple(reference.shape)}")
    if not own.isfinite().all():
        raise DisagreementError("its output has infinite or undefined values, the plain model's has none")
    wanted = reference.to(torch.float64)
    scale = wanted.abs().max().item()
    difference = (own - wanted).abs().max().item() / (scale or 1.0)
    if difference > tolerance:
        found = f"its output differs from the plain model's by {difference:.2g} of the largest value"
        raise DisagreementError(f"{found}; rounding explains {tolerance:g}")
    return difference


def get_tolerance(device: torch.device, dtype: torch.dtype) -> float:
    """The largest difference, as `check_agreement` tells it, that rounding explains over some hundred layers."""
    if dtype == torch.bfloat16:
        return 0.1  # 8 bits of mantissa
    return 1e-2 if device.type == "cuda" else 1e-3  # cuDNN convolves in TF32, of 11 bits
