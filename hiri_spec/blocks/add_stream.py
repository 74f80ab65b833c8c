"""HRNet's transition: one stream more, of half the size (Wang et al. 2020)."""

from typing import ClassVar, Literal

from ..block import Downsample, register
from ..feature_map import FeatureMap
from .residual import conv_norm_act


@register
class AddStream(Downsample):
    """Streams of the right width go on, others through a 3x3; a strided 3x3 on the last makes the new one."""

    takes_streams: ClassVar[bool] = True
    adds_stream: ClassVar[bool] = True

    downsample: Literal["add_stream"] = "add_stream"

    def wire(self, x: tuple[FeatureMap, ...], channels: int) -> tuple[FeatureMap, ...]:
        streams = []
        for index, stream in enumerate((*x, x[-1])):
            width = channels * 2**index
            if index < len(x) and stream.channels == width:
                streams.append(stream)
                continue
            with stream.scope(f"stream{index}"):
                streams.append(conv_norm_act(stream, width, 3, stride=1 + (index == len(x))))
        return tuple(streams)
