"""The symbolic feature map that a block's `wire` is written in: each method appends one primitive operation."""

from __future__ import annotations

from . import ops
from .graph import Graph, Op, Scope, Shape, Value


def make_divisible(value: float, divisor: int = 8) -> int:
    """Round to the nearest multiple of `divisor`, and never to less than one (MobileNet's rule, without its 10 %)."""
    return max(divisor, int(value / divisor + 0.5) * divisor)


class FeatureMap(Value):
    """A (C, H, W) map, or a (C,) vector after global pooling, at some point of a graph."""

    __slots__ = ()

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.shape[0]

    def apply(self, op: Op, *others: FeatureMap, name: str | None = None) -> FeatureMap:
        """Append any operation, with this map as its first input."""
        inputs = (self.index, *[other.index for other in others]) if others else (self.index,)
        return FeatureMap(self.graph, self.graph.add(op, inputs, name))

    def scope(self, name: str) -> Scope:
        """What is wired inside the `with` becomes one nested module of this name."""
        return self.graph.scope(name)

    def conv(
        self,
        channels: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        padding: int | None = None,
        bias: bool | None = None,
        name: str | None = None,
    ) -> FeatureMap:
        """Convolution with "same" padding; a bias on pointwise ones unless said otherwise."""
        pad = kernel // 2 if padding is None else padding
        has_bias = kernel == 1 if bias is None else bias
        return self.apply(ops.Conv(self.channels, channels, kernel, stride, pad, groups, has_bias), name=name)

    def depthwise(self, kernel: int, *, stride: int = 1, bias: bool = False, name: str | None = None) -> FeatureMap:
        """Depthwise convolution with "same" padding."""
        channels = self.channels
        return self.apply(ops.Conv(channels, channels, kernel, stride, kernel // 2, channels, bias), name=name)

    def linear(self, channels: int, *, bias: bool = True, name: str | None = None) -> FeatureMap:
        """Linear layer on a vector."""
        return self.apply(ops.Linear(self.channels, channels, bias), name=name)

    def norm(self, norm: str, *, eps: float = 1e-6, name: str | None = None) -> FeatureMap:
        """Batch or layer norm over the channels; `eps` is a layer norm's, a batch norm's is torch's 1e-5."""
        return self.apply(ops.Norm(self.channels, norm, 1e-5 if norm == "batch" else eps), name=name)

    def act(self, activation: str, *, name: str | None = None) -> FeatureMap:
        """Pointwise non-linearity."""
        return self.apply(ops.Activation(activation), name=name)

    def attend(self, key: FeatureMap, value: FeatureMap, *, heads: int, name: str | None = None) -> FeatureMap:
        """Scaled dot-product attention with this map as the query."""
        return self.apply(ops.Attention(heads), key, value, name=name)

    def attend_in_windows(
        self,
        key: FeatureMap,
        value: FeatureMap,
        *,
        heads: int,
        window: int,
        has_bias: bool = False,
        is_shifted: bool = False,
        name: str | None = None,
    ) -> FeatureMap:
        """Attention within windows, with this map as the query."""
        return self.apply(ops.WindowAttention(heads, window, has_bias, is_shifted), key, value, name=name)

    def attend_over_channels(
        self, key: FeatureMap, value: FeatureMap, *, heads: int, name: str | None = None
    ) -> FeatureMap:
        """Attention of channels to channels, with this map as the query."""
        return self.apply(ops.ChannelAttention(heads), key, value, name=name)

    def upsample(self, scale: int, *, like: FeatureMap, name: str | None = None) -> FeatureMap:
        """Upsample by repetition, cropped to the height and width of `like`."""
        return self.apply(ops.Upsample(scale), like, name=name)

    def average_pool(self, size: int, *, name: str | None = None) -> FeatureMap:
        """Average pooling, rounding sizes up."""
        return self.apply(ops.AveragePool(size), name=name)

    def global_pool(self, *, name: str | None = None) -> FeatureMap:
        """Mean over all positions."""
        return self.apply(ops.GlobalPool(), name=name)

    def pad_to_multiple(self, multiple: int, *, name: str | None = None) -> FeatureMap:
        """Zero-pad right and bottom to multiples."""
        return self.apply(ops.Pad(multiple), name=name)

    def adaptive_pool(self, side: int, *, name: str | None = None) -> FeatureMap:
        """Mean over a grid of `side` x `side` cells."""
        return self.apply(ops.AdaptivePool(side), name=name)

    def crop(self, *, like: FeatureMap, name: str | None = None) -> FeatureMap:
        """The upper left part, as large as `like`."""
        return self.apply(ops.Crop(), like, name=name)

    def roll(self, steps: int, *, window: int, name: str | None = None) -> FeatureMap:
        """Move up and left, round the ends; sides of one window or less stay."""
        return self.apply(ops.Roll(steps, window), name=name)

    def space_to_depth(self, size: int, *, name: str | None = None) -> FeatureMap:
        """Lay each `size` x `size` positions over one another as channels."""
        return self.apply(ops.SpaceToDepth(size), name=name)

    def dropout(self, *, name: str | None = None) -> FeatureMap:
        """Dropout; the rate is the built model's."""
        return self.apply(ops.Dropout(), name=name)

    def residual(self, branch: FeatureMap, *, layer_scale: float | None = None, name: str | None = None) -> FeatureMap:
        """This map plus the branch, the branch scaled per channel if asked and subject to drop path."""
        if layer_scale is not None:
            branch = branch.apply(ops.LayerScale(branch.channels, layer_scale))
        return self.add(branch.apply(ops.DropPath()), name=name)

    def add(self, *others: FeatureMap, name: str | None = None) -> FeatureMap:
        """Sum of maps of one shape."""
        return self.apply(ops.Add(), *others, name=name)

    def __add__(self, other: FeatureMap) -> FeatureMap:
        return self.add(other)


def start(shape: Shape, graph: Graph | None = None) -> FeatureMap:
    """Begin a graph with an input of the given shape, or add an input to one that has begun."""
    graph = Graph() if graph is None else graph
    name = f"input_{len(graph.inputs) + 1}" if graph.inputs else "input"
    value = FeatureMap(graph, graph.add(ops.Input(shape), name=name))
    graph.inputs.append(value.index)
    return value
