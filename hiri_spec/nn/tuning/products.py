"""The ways to compute a convolution together with the sum and the activation behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ... import ops

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"gelu": F.gelu, "relu": F.relu, "silu": F.silu}
IN_ONEDNN: dict[str, tuple[str, str | None]] = {
    "": ("none", None),
    "gelu": ("gelu", "none"),
    "relu": ("relu", None),
    "silu": ("swish", None),
}
"""oneDNN's name and algorithm of each activation; "none" is the exact gelu, by the error function."""
AFTER_SUMS = ("", "relu")
"""The activations that oneDNN computes behind a sum."""


class Product(nn.Module):
    """activation(conv(x) + other), by torch's convolution; subclasses compute it otherwise."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, op: ops.Conv, weight: Tensor, bias: Tensor | None, activation: str) -> None:
        super().__init__()
        self.op = op
        self.activation = activation
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("bias", bias, persistent=False)

    @classmethod
    def suits(cls, op: ops.Conv) -> bool:
        """Whether a convolution can be computed so."""
        return True

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        y = self.multiply(x)
        if other is not None:
            y = y + other
        return ACTIVATIONS[self.activation](y) if self.activation else y

    def multiply(self, x: Tensor) -> Tensor:
        """The convolution alone."""
        return F.conv2d(x, self.weight, self.bias, self.op.stride, self.op.padding, 1, self.op.groups)

    def extra_repr(self) -> str:
        op = self.op
        activation = f", {self.activation}" if self.activation else ""
        return f"{op.channels_in}, {op.channels_out}, kernel={op.kernel}, groups={op.groups}{activation}"


class LinearProduct(Product):
    """torch's linear layer over the channels of each position, for pointwise convolutions."""

    def __init__(self, op: ops.Conv, weight: Tensor, bias: Tensor | None, activation: str) -> None:
        super().__init__(op, weight.flatten(1), bias, activation)

    @classmethod
    def suits(cls, op: ops.Conv) -> bool:
        return (op.kernel, op.stride, op.padding, op.groups) == (1, 1, 0, 1)

    def multiply(self, x: Tensor) -> Tensor:
        return F.linear(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(0, 3, 1, 2)


class PackedProduct(Product):
    """oneDNN's convolution with weights packed once for one shape of inputs; it adds and activates as it writes.

    These are the calls that torch.compile makes on the CPU for frozen weights. Maps come out in channels-last. Inputs
    of any other shape take torch's convolution: weights packed for another one were seen to cost 30 times as much.
    """

    packed: Tensor

    def __init__(
        self, op: ops.Conv, weight: Tensor, bias: Tensor | None, activation: str, shape: tuple[int, ...]
    ) -> None:
        super().__init__(op, weight, bias, activation)
        self.shape = shape
        self.arguments: list[Any] = [[op.padding] * 2, [op.stride] * 2, [1, 1], op.groups]
        self._pack()

    def _pack(self) -> None:
        pack: Any = torch._C._nn.mkldnn_reorder_conv2d_weight  # torch's annotation lacks the shape
        self.packed = pack(self.weight.contiguous().to_mkldnn(), *self.arguments, list(self.shape))

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        if x.shape != self.shape:
            return super().forward(x, other)
        calls = torch.ops.mkldnn._convolution_pointwise
        name, algorithm = IN_ONEDNN[self.activation]
        out: Tensor
        if other is None:
            out = calls(x, self.packed, self.bias, *self.arguments, name, [], algorithm)
        elif self.activation in AFTER_SUMS:
            unary = name if self.activation else None
            out = calls.binary(x, other, self.packed, self.bias, *self.arguments, "add", None, unary, [], algorithm)
        else:
            out = calls.binary(x, other, self.packed, self.bias, *self.arguments, "add", None, None, [], None)
            out = ACTIVATIONS[self.activation](out)
        return out

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: packed tensors can't be."""
        return {key: value for key, value in self.__dict__.items() if key != "packed"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._pack()


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether this torch and this processor have oneDNN's packed convolutions."""
    has_calls = hasattr(torch._C._nn, "mkldnn_reorder_conv2d_weight") and hasattr(
        torch.ops.mkldnn, "_convolution_pointwise"
    )
    return has_calls and device.type == "cpu" and dtype == torch.float32 and torch.backends.mkldnn.is_available()
