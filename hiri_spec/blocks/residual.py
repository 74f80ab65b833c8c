"""ResNet's two residual branches (He et al. 2016), of which HRNet's streams, stem and head are made."""

from ..feature_map import FeatureMap

EXPANSION = 4
"""Output width of a bottleneck over the width inside it."""


def conv_norm_act(
    x: FeatureMap, channels: int, kernel: int, *, stride: int = 1, bias: bool = False, number: str = ""
) -> FeatureMap:
    """A convolution, a batch norm, a ReLU."""
    x = x.conv(channels, kernel, stride=stride, bias=bias, name=f"conv{number}")
    return x.norm("batch", name=f"norm{number}").act("relu", name=f"act{number}")


def wire_basic(x: FeatureMap) -> FeatureMap:
    """Two 3x3 convolutions, with the residual."""
    y = conv_norm_act(x, x.channels, 3, number="1")
    y = y.conv(x.channels, 3, bias=False, name="conv2").norm("batch", name="norm2")
    return x.residual(y, name="sum").act("relu", name="act2")


def wire_bottleneck(x: FeatureMap, inner: int) -> FeatureMap:
    """1x1, 3x3, 1x1 to four times the inner width, with the residual, projected where widths differ."""
    y = conv_norm_act(x, inner, 1, number="1")
    y = conv_norm_act(y, inner, 3, number="2")
    y = y.conv(EXPANSION * inner, 1, bias=False, name="conv3").norm("batch", name="norm3")
    if x.channels != y.channels:
        with x.scope("shortcut"):
            x = x.conv(y.channels, 1, bias=False, name="conv").norm("batch", name="norm")
    return x.residual(y, name="sum").act("relu", name="act3")
