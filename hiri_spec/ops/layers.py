"""Layers with weights, and pointwise operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph import Op, Shape


@dataclass(slots=True, unsafe_hash=True)
class Input(Op):
    """A graph's input: given, not computed."""

    shape: Shape
    kind: ClassVar[str] = "input"

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.shape


@dataclass(slots=True, unsafe_hash=True)
class Conv(Op):
    """2-d convolution, (C, H, W) → (C', (H + 2p - k) // s + 1, …)."""

    channels_in: int
    channels_out: int
    kernel: int
    stride: int
    padding: int
    groups: int
    bias: bool
    kind: ClassVar[str] = "conv"
    saves_inputs: ClassVar[bool] = True

    @property
    def label(self) -> str:
        if self.groups == self.channels_in and self.groups > 1:
            return "depthwise conv"
        return "pointwise conv" if self.kernel == 1 else "conv"

    def output_shape(self, *inputs: Shape) -> Shape:
        _, height, width = inputs[0]
        reach = 2 * self.padding - self.kernel
        return self.channels_out, (height + reach) // self.stride + 1, (width + reach) // self.stride + 1

    def params(self) -> int:
        return self.channels_out * (self.channels_in // self.groups * self.kernel**2 + self.bias)

    def tensors(self) -> dict[str, Shape]:
        weight = (self.channels_out, self.channels_in // self.groups, self.kernel, self.kernel)
        return {"weight": weight, "bias": (self.channels_out,)} if self.bias else {"weight": weight}

    def macs(self, output: Shape, *inputs: Shape) -> int:
        channels, height, width = output
        return height * width * channels * (self.channels_in // self.groups) * self.kernel**2


@dataclass(slots=True, unsafe_hash=True)
class Linear(Op):
    """Matrix product over the last dimension of a vector, (C,) → (C',)."""

    channels_in: int
    channels_out: int
    bias: bool
    kind: ClassVar[str] = "linear"
    saves_inputs: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return (self.channels_out,)

    def params(self) -> int:
        return self.channels_out * (self.channels_in + self.bias)

    def tensors(self) -> dict[str, Shape]:
        weight = (self.channels_out, self.channels_in)
        return {"weight": weight, "bias": (self.channels_out,)} if self.bias else {"weight": weight}

    def macs(self, output: Shape, *inputs: Shape) -> int:
        return self.channels_in * self.channels_out


@dataclass(slots=True, unsafe_hash=True)
class Norm(Op):
    """Normalisation over the channels of each position (`layer`) or over batch and positions (`batch`)."""

    channels: int
    norm: str
    eps: float
    kind: ClassVar[str] = "norm"
    saves_inputs: ClassVar[bool] = True

    @property
    def label(self) -> str:
        return f"{self.norm} norm"

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def params(self) -> int:
        return 2 * self.channels

    def tensors(self) -> dict[str, Shape]:
        names = ("weight", "bias", "running_mean", "running_var") if self.norm == "batch" else ("weight", "bias")
        tensors: dict[str, Shape] = dict.fromkeys(names, (self.channels,))
        return tensors | {"num_batches_tracked": ()} if self.norm == "batch" else tensors

    def saved_extra(self, output: Shape, *inputs: Shape) -> int:
        if self.norm == "batch":
            return 0
        positions = 1
        for size in output[1:]:
            positions *= size
        return 2 * positions

    def saved_once(self) -> int:
        return 2 * self.channels if self.norm == "batch" else 0


@dataclass(slots=True, unsafe_hash=True)
class Activation(Op):
    """Pointwise non-linearity; autograd keeps the output of a ReLU and the input of any other."""

    activation: str
    kind: ClassVar[str] = "act"

    @property
    def saves_inputs(self) -> bool:  # type: ignore[override]
        return self.activation != "relu"

    @property
    def saves_output(self) -> bool:  # type: ignore[override]
        return self.activation == "relu"

    @property
    def label(self) -> str:
        return self.activation

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


@dataclass(slots=True, unsafe_hash=True)
class Add(Op):
    """Sum of maps of one shape."""

    kind: ClassVar[str] = "add"
    is_module: ClassVar[bool] = False

    def output_shape(self, *inputs: Shape) -> Shape:
        if any(shape != inputs[0] for shape in inputs):
            raise ValueError(f"only maps of one shape can be added, not {' and '.join(map(str, inputs))}")
        return inputs[0]


@dataclass(slots=True, unsafe_hash=True)
class LayerScale(Op):
    """Learned scale per channel (CaiT, Touvron et al. 2021)."""

    channels: int
    initial: float
    kind: ClassVar[str] = "layer_scale"
    saves_inputs: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def params(self) -> int:
        return self.channels

    def tensors(self) -> dict[str, Shape]:
        return {"gamma": (self.channels,)}


@dataclass(slots=True, unsafe_hash=True)
class DropPath(Op):
    """Stochastic depth (Huang et al. 2016); its rate is set per block when the model is built."""

    kind: ClassVar[str] = "drop_path"
    is_alias: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


@dataclass(slots=True, unsafe_hash=True)
class Dropout(Op):
    """Dropout of single features; its rate is set when the model is built."""

    kind: ClassVar[str] = "dropout"
    is_alias: ClassVar[bool] = True

    def saved_extra(self, output: Shape, *inputs: Shape) -> int:
        return output[0]  # the mask, in float32 on CPU (CUDA keeps a byte a value)

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]
