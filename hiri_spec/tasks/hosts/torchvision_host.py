"""RetinaNet and Mask R-CNN of torchvision, over any backbone's maps.

They have the settings of torchvision's first published forms (`retinanet_resnet50_fpn`, `maskrcnn_resnet50_fpn`),
which are those of the papers. The second forms put batch norms into Mask R-CNN's heads, which the few images of a
detector's batch don't feed, and make it a half dearer than what others report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.roi_heads import RoIHeads, paste_masks_in_image
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import MultiScaleRoIAlign, roi_align
from torchvision.ops.poolers import LevelMapper

from ...errors import Problem, SpecError
from ..maps import Maps
from ..model import Attribute, DenseModel
from ..padding import Batch
from ..scenes import Answer, Found, Objects, Target
from ..task import Task
from .torchvision_pyramid import CHANNELS, RATIOS, Anchors, ConvolvedLevels, Pyramid, SampledLevels, level_strides

MOST_FOUND = 100
"""Objects of an image that are told: as many as COCO's figures look at."""
PROPOSALS = 1000
BOX_SIDE, MASK_SIDE = 7, 14
BOX_FEATURES = 1024
ROI_LEVELS = 4
SAMPLES = 2
MASK_THRESHOLD = 0.5


def make_model(task: Task, maps: Maps) -> DenseModel:
    """The task's detector on a backbone, its own parts initialised as torchvision does."""
    return TorchvisionMaskRCNN(task, maps) if task.head == "mask_rcnn" else TorchvisionRetinaNet(task, maps)


class TorchvisionRetinaNet(DenseModel):
    """RetinaNet: anchors of 4 strides a side and up, from the first map to stride 128."""

    def __init__(self, task: Task, maps: Maps) -> None:
        super().__init__(task, maps)
        strides = level_strides(task, maps)
        neck = Pyramid(maps, ConvolvedLevels(len(strides) - len(maps.strides)))
        sizes = [[int(4 * stride * 2 ** (third / 3)) for third in range(3)] for stride in strides]
        anchors = Anchors(strides, sizes)
        self.detector = RetinaNet(neck, task.classes, anchor_generator=anchors, detections_per_img=MOST_FOUND)
        self.detector.transform = nn.Identity()  # images come as they shall be
        self.detector.head.register_forward_hook(in_float32)

    def compute_losses(self, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        levels = self._levels(batch)
        losses: dict[str, Tensor] = self.detector.compute_loss(
            [describe(target, first_label=0) for target in targets],
            self.detector.head(levels),
            self.detector.anchor_generator(as_images(batch), levels),
        )
        return losses

    def answer(self, batch: Batch) -> list[Answer]:
        levels = self._levels(batch)
        outputs = self.detector.head(levels)
        anchors = self.detector.anchor_generator(as_images(batch), levels)
        each = self.detector.anchor_generator.num_anchors_per_location()
        counts = [number * level.shape[-2] * level.shape[-1] for number, level in zip(each, levels, strict=True)]
        found = self.detector.postprocess_detections(
            {name: list(values.split(counts, dim=1)) for name, values in outputs.items()},
            [list(own.split(counts)) for own in anchors],
            batch.sizes,
        )
        return [Found(own["boxes"], own["labels"], own["scores"]) for own in found]

    def run_for_cost(self, maps: Sequence[Tensor], size: tuple[int, int], part: Attribute) -> dict[str, int]:
        with part("neck"):
            levels = list(self.detector.backbone(maps).values())
        with part("head"):
            self.detector.head(levels)
        return {}

    def _levels(self, batch: Batch) -> list[Tensor]:
        return list(self.detector.backbone(self.maps(batch.pixels)).values())


class TorchvisionMaskRCNN(DenseModel):
    """Mask R-CNN: anchors of 8 strides a side, from the first map to stride 64; regions are read off the first four."""

    def __init__(self, task: Task, maps: Maps) -> None:
        super().__init__(task, maps)
        strides = level_strides(task, maps)
        self.neck = Pyramid(maps, SampledLevels(len(strides) - len(maps.strides)))
        self.rpn = RegionProposalNetwork(
            Anchors(strides, [[8 * stride] for stride in strides]),
            RPNHead(CHANNELS, len(RATIOS)),
            fg_iou_thresh=0.7,
            bg_iou_thresh=0.3,
            batch_size_per_image=256,
            positive_fraction=0.5,
            pre_nms_top_n={"training": 2000, "testing": PROPOSALS},
            post_nms_top_n={"training": 2000, "testing": PROPOSALS},
            nms_thresh=0.7,
        )
        classes = task.classes + 1  # the background is the first
        roi_strides = maps.strides[:ROI_LEVELS]
        self.roi_heads = RoIHeads(
            region_pooling(BOX_SIDE, roi_strides),
            TwoMLPHead(CHANNELS * BOX_SIDE**2, BOX_FEATURES),
            FastRCNNPredictor(BOX_FEATURES, classes),
            fg_iou_thresh=0.5,
            bg_iou_thresh=0.5,
            batch_size_per_image=task.regions or task.kind.regions,
            positive_fraction=0.25,
            bbox_reg_weights=None,
            score_thresh=0.05,
            nms_thresh=0.5,
            detections_per_img=MOST_FOUND,
            mask_roi_pool=region_pooling(MASK_SIDE, roi_strides),
            mask_head=MaskRCNNHeads(CHANNELS, (CHANNELS,) * 4, 1),
            mask_predictor=MaskRCNNPredictor(CHANNELS, CHANNELS, classes),
        )
        for module in (self.rpn.head, self.roi_heads.box_predictor, self.roi_heads.mask_predictor):
            module.register_forward_hook(in_float32)

    def compute_losses(self, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        self._check_mode(training=True)
        taught = [describe(target, first_label=1, has_masks=True) for target in targets]
        levels = self.neck(self.maps(batch.pixels))
        proposals, losses = self.rpn(as_images(batch), levels, taught)
        _, more = self.roi_heads(levels, proposals, batch.sizes, taught)
        return {**losses, **more}

    def answer(self, batch: Batch) -> list[Answer]:
        self._check_mode(training=False)
        levels = self.neck(self.maps(batch.pixels))
        proposals, _ = self.rpn(as_images(batch), levels)
        found, _ = self.roi_heads(levels, proposals, batch.sizes)
        return [
            Found(own["boxes"], own["labels"] - 1, own["scores"], paste(own["masks"], own["boxes"], size))
            for own, size in zip(found, batch.sizes, strict=True)
        ]

    def run_for_cost(self, maps: Sequence[Tensor], size: tuple[int, int], part: Attribute) -> dict[str, int]:
        height, width = size
        with part("neck"):
            levels = self.neck(maps)
        with part("head"):
            self.rpn.head(list(levels.values()))
            # which level a region is read off changes nothing in the cost, and can't be known without an image
            regions = torch.tensor([[0.0, 0.0, 0.0, width, height]], device=levels["0"].device)
            scale = 1 / self.maps.strides[0]
            for count, side, layers in (
                (PROPOSALS, BOX_SIDE, (self.roi_heads.box_head, self.roi_heads.box_predictor)),
                (MOST_FOUND, MASK_SIDE, (self.roi_heads.mask_head, self.roi_heads.mask_predictor)),
            ):
                x = roi_align(levels["0"], regions.expand(count, -1), side, scale, SAMPLES)
                for layer in layers:
                    x = layer(x)
        return {"proposals": PROPOSALS, "masks": MOST_FOUND}

    def _check_mode(self, *, training: bool) -> None:
        """Raise SpecError in the wrong mode: torchvision's parts choose by it between learning and answering."""
        if self.training != training:
            needed = "train() before it learns" if training else "eval() before it answers"
            raise SpecError(Problem(f"torchvision's Mask R-CNN does one or the other; call {needed}", code="mode"))


def region_pooling(side: int, strides: Sequence[int]) -> MultiScaleRoIAlign:
    """Regions off the maps of some strides, which are told and not guessed from the first batch that comes."""
    pooling = MultiScaleRoIAlign([str(index) for index in range(len(strides))], side, SAMPLES)
    pooling.scales = [1 / stride for stride in strides]
    pooling.map_levels = LevelMapper(strides[0].bit_length() - 1, strides[-1].bit_length() - 1)
    return pooling


def in_float32(module: nn.Module, inputs: Any, outputs: Any) -> Any:
    """A forward hook: what boxes, scores and losses are reckoned from, in float32 under autocast too."""
    return tree_map(lambda value: value.float() if isinstance(value, Tensor) else value, outputs)


def as_images(batch: Batch) -> ImageList:
    """A batch in torchvision's words."""
    return ImageList(batch.pixels, batch.sizes)


def describe(target: Target, *, first_label: int, has_masks: bool = False) -> dict[str, Tensor]:
    """What an image teaches, in torchvision's words; groups drawn as one and boxes without an area teach nothing."""
    if not isinstance(target, Objects):
        raise SpecError(Problem("a detector learns Objects; a map of classes is for upernet", "targets"))
    sides = target.boxes[:, 2:] - target.boxes[:, :2]
    kept = (sides > 0).all(dim=1)
    if target.is_crowd is not None:
        kept &= ~target.is_crowd.bool()
    taught = {"boxes": target.boxes[kept].float(), "labels": target.labels[kept].long() + first_label}
    if has_masks:
        if target.masks is None:
            raise SpecError(Problem("mask_rcnn learns masks, and there are none; retinanet learns boxes", "targets"))
        taught["masks"] = target.masks[kept].to(torch.uint8)
    return taught


def paste(masks: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks (N, 1, side, side) of 0 to 1 within boxes (N, 4) → booleans (N, H, W)."""
    pasted = masks.new_zeros((len(masks), *size), dtype=torch.bool)
    for index in range(len(masks)):  # one at a time: as numbers all of them would take four times the memory and more
        one = paste_masks_in_image(masks[index : index + 1], boxes[index : index + 1], size)
        pasted[index] = one[0, 0] > MASK_THRESHOLD
    return pasted
