"""What this machine's matrix products reach: the measure of how well a network uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Kernel:
    """One dense product: a call and the MACs that it does."""

    name: str
    macs: int
    call: Callable[[], Any]


def make_kernels(device: torch.device, dtype: torch.dtype) -> list[Kernel]:
    """Large dense products of several kinds, since which one is fastest depends on machine, threads and library."""
    side, channels, place = (8192, 1024, 64) if device.type == "cuda" else (1024, 256, 28)
    # thrice the side makes a 1x1 convolution as much work as a 3x3 one
    shapes = [(kernel, place * 3 // kernel, is_last) for kernel in (1, 3) for is_last in (False, True)]
    convolutions = [_convolution(kernel, channels, at, is_last, device, dtype) for kernel, at, is_last in shapes]
    return [_product(side, device, dtype), *convolutions]


def _product(side: int, device: torch.device, dtype: torch.dtype) -> Kernel:
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return Kernel(f"torch.mm {side}x{side}", side**3, _without_gradients(partial(torch.mm, left, right)))


def _convolution(
    kernel: int, channels: int, place: int, is_last: bool, device: torch.device, dtype: torch.dtype
) -> Kernel:
    layout = torch.channels_last if is_last else torch.contiguous_format
    maps = torch.randn(1, channels, place, place, device=device, dtype=dtype).to(memory_format=layout)
    weight = torch.randn(channels, channels, kernel, kernel, device=device, dtype=dtype).to(memory_format=layout)
    name = f"convolution {kernel}x{kernel} {channels}x{place}x{place}{' channels_last' if is_last else ''}"
    macs = channels * channels * kernel * kernel * place * place
    return Kernel(name, macs, _without_gradients(partial(F.conv2d, maps, weight, padding=kernel // 2)))


def _without_gradients(call: Callable[[], Tensor]) -> Callable[[], Tensor]:
    def run() -> Tensor:
        with torch.inference_mode():
            return call()

    return run
