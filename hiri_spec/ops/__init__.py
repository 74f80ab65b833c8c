"""The primitive operations. Each has a shape rule, a params rule, a MACs rule and a memory rule, all in its class.

Shape legend: C channels, H height, W width, k kernel, s stride, p padding, w window, h heads, N positions. One MAC is
one multiply-add, what the papers and fvcore call one FLOP. Convolutions, linear layers and attention products are
counted; norms, activations, additions and resampling cost no MACs, as in the papers.
"""

from .attention import Attention, ChannelAttention, WindowAttention
from .layers import Activation, Add, Conv, Dropout, DropPath, Input, LayerScale, Linear, Norm
from .resampling import (
    AdaptivePool,
    AveragePool,
    Crop,
    GlobalPool,
    Pad,
    Roll,
    SpaceToDepth,
    Upsample,
    divide_up,
)

__all__ = [
    "Activation",
    "AdaptivePool",
    "Add",
    "Attention",
    "AveragePool",
    "ChannelAttention",
    "Conv",
    "Crop",
    "DropPath",
    "Dropout",
    "GlobalPool",
    "Input",
    "LayerScale",
    "Linear",
    "Norm",
    "Pad",
    "Roll",
    "SpaceToDepth",
    "Upsample",
    "WindowAttention",
    "divide_up",
]
