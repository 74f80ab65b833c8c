"""HRNet's module: streams of several resolutions, then every stream into every other (Wang et al. 2020)."""

from typing import ClassVar, Literal

from pydantic import Field

from ..block import Block, Positive, register
from ..feature_map import FeatureMap
from .hr import HR
from .residual import conv_norm_act, wire_basic


@register
class Streams(Block):
    """Residual blocks on each stream, then each stream the sum of all; `width` is the first stream's, then doubled."""

    takes_streams: ClassVar[bool] = True

    block: Literal["streams"] = "streams"
    streams: Positive = Field(description="Number of streams, each half the size of the one before.")
    blocks: Positive = Field(4, description="Residual blocks on each stream.")
    high: Literal["basic", "hr"] = Field(
        "basic", description="What the first stream is made of: residual blocks, or two HR blocks for each."
    )

    @property
    def stream_count(self) -> int:
        return self.streams

    def wire(self, x: tuple[FeatureMap, ...]) -> tuple[FeatureMap, ...]:
        streams = []
        for index, stream in enumerate(x):
            y = stream
            with stream.scope(f"branch{index}"):
                if self.high == "hr" and not index:
                    hr = HR(depth=1, width=stream.channels)
                    for block in range(2 * self.blocks):
                        with stream.scope(f"block{block}"):
                            y = hr.wire(y)
                else:
                    for block in range(self.blocks):
                        with stream.scope(f"block{block}"):
                            y = wire_basic(y)
            streams.append(y)
        return tuple(self._fuse(streams, index) for index in range(len(streams)))

    def _fuse(self, streams: list[FeatureMap], target: int) -> FeatureMap:
        """One stream as the sum of all."""
        like = streams[target]
        with like.scope(f"fuse{target}"):
            terms = [self._resize(stream, source, target, like) for source, stream in enumerate(streams)]
            return terms[0].add(*terms[1:], name="sum").act("relu", name="act") if terms[1:] else like

    def _resize(self, x: FeatureMap, source: int, target: int, like: FeatureMap) -> FeatureMap:
        """A stream at the size and width of another: upsampled, or down by strided convolutions."""
        if source == target:
            return x
        with x.scope(f"from{source}"):
            if source > target:
                y = x.conv(like.channels, 1, bias=False, name="conv").norm("batch", name="norm")
                return y.upsample(2 ** (source - target), like=like, name="upsample")
            for step in range(1, target - source):
                x = conv_norm_act(x, x.channels, 3, stride=2, number=str(step))
            last = str(target - source)
            return x.conv(like.channels, 3, stride=2, bias=False, name=f"conv{last}").norm("batch", name=f"norm{last}")
