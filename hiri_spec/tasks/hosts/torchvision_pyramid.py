"""What torchvision's detectors stand on here: its pyramid over maps of any strides, and anchors of the very strides."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

from ..maps import Maps
from ..task import Task

CHANNELS = 256
"""Of every level of the pyramid."""
RATIOS = (0.5, 1.0, 2.0)
"""Heights of anchors by their widths."""


def level_strides(task: Task, maps: Maps) -> tuple[int, ...]:
    """Strides of the pyramid's levels: those of the maps, then doubled on to where the head usually ends."""
    strides = list(maps.strides)
    while strides[-1] < max(task.kind.strides + task.kind.extra_strides):
        strides.append(2 * strides[-1])
    return tuple(strides)


class ConvolvedLevels(ExtraFPNBlock):  # type: ignore[misc]
    """Levels beyond the maps, each a strided convolution of the one before, as torchvision's LastLevelP6P7 makes two.

    There are as many of them as there are strides beyond the backbone's: a stage of stride 64 saves the first.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        convolutions = [nn.Conv2d(CHANNELS, CHANNELS, 3, 2, padding=1, bias=True) for _ in range(count)]
        for convolution in convolutions:
            nn.init.kaiming_uniform_(convolution.weight, a=1)
            if convolution.bias is not None:
                nn.init.zeros_(convolution.bias)
        self.convolutions = nn.ModuleList(convolutions)

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        here = results[-1]
        for index, convolution in enumerate(self.convolutions):
            here = convolution(functional.relu(here) if index else here)
            results.append(here)
        return results, [str(index) for index in range(len(results))]


class SampledLevels(ExtraFPNBlock):  # type: ignore[misc]
    """Levels beyond the maps, each every second pixel of the one before, as torchvision's LastLevelMaxPool."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        for _ in range(self.count):
            results.append(functional.max_pool2d(results[-1], kernel_size=1, stride=2))
        return results, [str(index) for index in range(len(results))]


class Pyramid(nn.Module):
    """Maps of a backbone → levels of equal width by name, "0" the finest."""

    out_channels = CHANNELS

    def __init__(self, maps: Maps, extra: ExtraFPNBlock) -> None:
        super().__init__()
        self.fpn = FeaturePyramidNetwork(list(maps.channels), CHANNELS, extra_blocks=extra)

    def forward(self, maps: Sequence[Tensor]) -> dict[str, Tensor]:
        levels: dict[str, Tensor] = self.fpn({str(index): each for index, each in enumerate(maps)})
        return levels


class Anchors(AnchorGenerator):  # type: ignore[misc]
    """torchvision's anchors at multiples of the levels' true strides, in float32.

    torchvision divides the batch's side by the level's, which is no stride where a level was rounded up, and takes the
    levels' type of numbers: bfloat16 has no coordinates between 512 and 516.
    """

    def __init__(self, strides: Sequence[int], sizes: Sequence[Sequence[int]]) -> None:
        super().__init__(tuple(map(tuple, sizes)), (RATIOS,) * len(sizes))
        self.strides = tuple(strides)

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        self.set_cell_anchors(torch.float32, feature_maps[0].device)
        grids = [list(level.shape[-2:]) for level in feature_maps]
        anchors = torch.cat(self.grid_anchors(grids, [[stride, stride] for stride in self.strides]))
        return [anchors] * len(image_list.image_sizes)
