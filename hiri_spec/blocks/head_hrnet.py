"""HRNet's classification head: all streams, widened, down to the last one's size (Wang et al. 2020)."""

from typing import ClassVar, Literal

from pydantic import Field

from ..block import Head, Positive, register
from ..feature_map import FeatureMap
from .residual import conv_norm_act, wire_bottleneck


@register
class HRNetHead(Head):
    """A bottleneck on each stream, strided 3x3 from stream to stream with sums, 1x1, global average pooling, linear."""

    takes_streams: ClassVar[bool] = True

    head: Literal["hrnet"] = "hrnet"
    inner: Positive = Field(32, description="Channels inside the first stream's bottleneck, then doubled.")
    width: Positive = Field(2048, description="Channels that are pooled.")
    drop_rate: float = Field(0, ge=0, lt=1, description="Dropout before the linear layer.")

    def wire(self, x: tuple[FeatureMap, ...]) -> FeatureMap:
        y: FeatureMap | None = None
        for index, stream in enumerate(x):
            with stream.scope(f"widen{index}"):
                widened = wire_bottleneck(stream, self.inner * 2**index)
            if y is not None:
                with y.scope(f"down{index}"):
                    y = conv_norm_act(y, widened.channels, 3, stride=2, bias=True)
                widened = widened.add(y, name=f"sum{index}")
            y = widened
        assert y is not None
        with y.scope("final"):
            y = conv_norm_act(y, self.width, 1, bias=True)
        y = y.global_pool(name="pool")
        if self.drop_rate:
            y = y.dropout(name="dropout")
        return y.linear(self.classes, name="fc")
