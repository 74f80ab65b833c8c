"""The host mmdetection: its detectors as plain modules, on our maps, under our loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import Problem, SpecError
from ..maps import Maps
from ..model import Attribute, DenseModel
from ..padding import Batch
from ..scenes import Answer, Found, Objects, Target
from ..task import Task
from .mmdet_amendments import amend
from .mmdet_import import no_chatter, no_warnings
from .mmdet_settings import MOST_FOUND, read_settings

PROPOSALS = 1000
"""Proposals of an image that the region heads are given, as in the shipped configs."""
BOX_CELLS = 14
"""Sides, in cells of the finest map, of the boxes that costs are counted with."""


def make_model(task: Task, maps: Maps) -> DenseModel:
    """One of mmdetection's detectors on maps, with fresh weights."""
    settings = read_settings(task, maps.channels, maps.strides)
    from mmdet.registry import MODELS
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope("mmdet"), no_warnings(), no_chatter():
        detector = MODELS.build(settings)
        detector.init_weights()
    amend(detector)
    return MMDetModel(task, maps, detector)


class MMDetModel(DenseModel):
    """A detector of mmdetection whose backbone gives on the maps that it is given."""

    def __init__(self, task: Task, maps: Maps, detector: nn.Module) -> None:
        super().__init__(task, maps)
        self.detector: Any = detector
        self.finds_masks = task.kind.kind == "masks"

    def compute_losses(self, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        samples = self._samples(batch.sizes)
        for sample, target in zip(samples, targets, strict=True):
            sample.gt_instances = self._instances(target)
        found = self.detector.loss(self.maps(batch.pixels), samples)
        return {
            name: torch.stack([each.sum() for each in value]).sum() if isinstance(value, list | tuple) else value.sum()
            for name, value in found.items()
            if "loss" in name  # the others are figures to look at
        }

    def answer(self, batch: Batch) -> list[Answer]:
        maps = self.maps(batch.pixels)
        with no_warnings():
            samples = self.detector.predict(maps, self._samples(batch.sizes), rescale=True)
        return [
            read_answer(sample.pred_instances, size, with_masks=self.finds_masks)
            for sample, size in zip(samples, batch.sizes, strict=True)
        ]

    def _samples(self, sizes: Sequence[tuple[int, int]]) -> list[Any]:
        """What mmdetection is told of images of some sizes (height, width), and of the batch that they make."""
        from mmdet.structures import DetDataSample

        whole = self._pad([max(sides) for sides in zip(*sizes, strict=True)])
        return [
            DetDataSample(
                metainfo={
                    "ori_shape": size,
                    "img_shape": size,
                    "pad_shape": self._pad(size),
                    "batch_input_shape": whole,
                    "scale_factor": (1.0, 1.0),
                }
            )
            for size in sizes
        ]

    def _pad(self, size: Sequence[int]) -> tuple[int, ...]:
        return tuple(-(-side // self.divisor) * self.divisor for side in size)

    def _instances(self, target: Target) -> Any:
        from mmdet.structures.mask import BitmapMasks
        from mmengine.structures import InstanceData

        if not isinstance(target, Objects):
            message = f"{self.task.head} learns from Objects; {type(target).__name__} is none"
            raise SpecError(Problem(message, "targets"))
        kept = slice(None) if target.is_crowd is None else ~target.is_crowd.bool()
        instances = InstanceData(bboxes=target.boxes[kept].float(), labels=target.labels[kept].long())
        if self.finds_masks:
            if target.masks is None:
                message = f"{self.task.head} learns from masks, and an image comes without; give masks (N, H, W)"
                raise SpecError(Problem(message, "targets"))
            instances.masks = BitmapMasks(target.masks[kept].to("cpu", torch.uint8).numpy(), *target.size)
        return instances

    def run_for_cost(self, maps: Sequence[Tensor], size: tuple[int, int], part: Attribute) -> dict[str, int]:
        with part("neck"):
            levels = self.detector.neck(tuple(maps))
        with part("head"):
            if not hasattr(self.detector, "roi_head"):
                self.detector.bbox_head(levels)
                return {}
            if self.task.head == "sparse_rcnn":
                return self._run_stages(levels, size)
            self.detector.rpn_head(levels)
            return self._run_regions(levels)

    def _run_stages(self, levels: Sequence[Tensor], size: tuple[int, int]) -> dict[str, int]:
        (start,) = self.detector.rpn_head.predict(levels, self._samples([size]))
        rois = functional.pad(start.bboxes, (1, 0))
        features = start.features[None]
        roi_head = self.detector.roi_head
        for extractor, head in zip(roi_head.bbox_roi_extractor, roi_head.bbox_head, strict=True):
            _, _, features, _ = head(extractor.roi_layers[0](levels[0], rois), features)
        return {"proposals": len(rois)}

    def _run_regions(self, levels: Sequence[Tensor]) -> dict[str, int]:
        roi = self.detector.roi_head
        stages: tuple[Any, ...] = (roi.bbox_roi_extractor, roi.bbox_head, roi.mask_roi_extractor, roi.mask_head)
        if not isinstance(roi.bbox_head, nn.ModuleList):
            stages = tuple([module] for module in stages)
        box_extractors, box_heads, mask_extractors, mask_heads = stages
        for extractor, head in zip(box_extractors, box_heads, strict=True):
            head(cut_out(extractor, levels, PROPOSALS))
        for extractor, head in zip(mask_extractors, mask_heads, strict=True):
            head(cut_out(extractor, levels, MOST_FOUND))
        return {"proposals": PROPOSALS, "masks": MOST_FOUND}


def read_answer(instances: Any, size: tuple[int, int], *, with_masks: bool) -> Found:
    """What mmdetection found in an image of a size (height, width), the surest first."""
    scores, order = instances.scores.float().sort(descending=True, stable=True)
    order = order[:MOST_FOUND]
    height, width = size
    boxes = instances.bboxes[order].float()  # one head does not cut them at the edges
    boxes = torch.stack([boxes[:, i].clamp(0, side) for i, side in enumerate((width, height) * 2)], dim=1)
    masks = instances.masks[order].bool() if with_masks else None
    return Found(boxes, instances.labels[order], scores[:MOST_FOUND], masks)


def cut_out(extractor: Any, levels: Sequence[Tensor], count: int) -> Tensor:
    """What a number of regions gives, all cut out of the finest map: which they fall on depends on the image."""
    layer = extractor.roi_layers[0]
    side = BOX_CELLS / layer.spatial_scale
    rois = levels[0].new_tensor([0.0, 0.0, 0.0, side, side]).expand(count, 5)
    features: Tensor = layer(levels[0], rois)
    return features
