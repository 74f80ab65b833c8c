"""mmdetection's shipped configs, changed to what a task asks for: the maps that come in, levels, classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from ..task import Task
from .mmdet_import import import_mmdet

CONFIGS = {
    "retinanet": "retinanet/retinanet_r50_fpn_1x_coco.py",
    "mask_rcnn": "mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py",
    "cascade_mask_rcnn": "cascade_rcnn/cascade-mask-rcnn_r50_fpn_1x_coco.py",
    "atss": "atss/atss_r50_fpn_1x_coco.py",
    "gfl": "gfl/gfl_r50_fpn_1x_coco.py",
    # 300 proposals, as in PVTv2's configs (whai362/PVT), where backbones are compared
    "sparse_rcnn": "sparse_rcnn/sparse-rcnn_r50_fpn_300-proposals_crop-ms-480-800-3x_coco.py",
}
"""The config that each head is taken from. Schedules and data in them are not used: those are the recipe's."""
ROI_LEVELS = 4
"""The finest levels, which regions are cut out of; the rest are for the proposals of large ones."""
FINEST_CELLS = 14
"""A region of less than twice as many cells a side of the finest map is cut out of that."""
MOST_FOUND = 100
"""Objects in an answer, as many as COCO's figures look at."""


def read_settings(task: Task, channels: Sequence[int], strides: Sequence[int]) -> Any:
    """mmdetection's ConfigDict of a task's model over maps of some channels and strides, without a backbone."""
    package = Path(str(import_mmdet().__file__)).parent
    from mmengine.config import Config

    settings = Config.fromfile(package / ".mim" / "configs" / CONFIGS[task.head]).model
    levels = max(settings.neck.num_outs, len(strides))
    level_strides = [strides[0] * 2**index for index in range(levels)]
    settings.backbone = {"type": nn.Identity}
    settings.data_preprocessor = None
    settings.neck.update(in_channels=list(channels), start_level=0, num_outs=levels)
    roi_levels = levels if task.head == "sparse_rcnn" else ROI_LEVELS
    for part in parts_of(settings):
        if "strides" in part.get("anchor_generator", {}):
            part.anchor_generator.strides = level_strides
        if "featmap_strides" in part:
            part.featmap_strides = level_strides[:roi_levels]
            part.finest_scale = FINEST_CELLS * level_strides[0]
        if "num_classes" in part:
            part.num_classes = task.classes
    if "rcnn" in settings.test_cfg:
        settings.test_cfg.rcnn.max_per_img = MOST_FOUND
    if task.regions is not None:
        _set_regions(settings, task.regions)
    return settings


def _set_regions(settings: Any, regions: int) -> None:
    """So many regions of an image to learn from, or to look for where those are learnt."""
    if "num_proposals" in settings.rpn_head:
        settings.rpn_head.num_proposals = regions
        settings.test_cfg.rcnn.max_per_img = min(MOST_FOUND, regions)
    else:
        stages = settings.train_cfg.rcnn
        for stage in stages if isinstance(stages, list) else [stages]:
            stage.sampler.num = regions


def parts_of(settings: Any) -> Iterator[Any]:
    """A config and all configs inside."""
    if isinstance(settings, dict):
        yield settings
    inside = settings.values() if isinstance(settings, dict) else settings
    for each in inside:
        if isinstance(each, dict | list | tuple):
            yield from parts_of(each)
