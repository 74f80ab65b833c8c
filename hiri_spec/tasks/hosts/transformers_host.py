"""UPerNet of transformers, over any backbone's maps, in its published form: 512 wide, with an auxiliary head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import UperNetConfig
from transformers.models.upernet.modeling_upernet import UperNetFCNHead, UperNetHead, UperNetPreTrainedModel

from ...errors import Problem, SpecError
from ..maps import Maps
from ..model import Attribute, DenseModel
from ..padding import Batch
from ..scenes import IGNORED, Answer, PixelClasses, Target
from ..task import Task

AUXILIARY_STRIDE = 16
AUXILIARY_WEIGHT = 0.4


def make_model(task: Task, maps: Maps) -> DenseModel:
    """UPerNet on a backbone, its own parts initialised as transformers does."""
    if task.classes > IGNORED:
        message = f"{task.classes} classes are too many: the number {IGNORED} stands for none in a map of classes"
        raise SpecError(Problem(message, "classes", code="too_many"))
    return TransformersUPerNet(task, maps)


class PatientBatchNorm(nn.BatchNorm2d):
    """A batch norm that takes its running statistics in training too, where there is one value a channel.

    UPerNet pools the last map to one pixel, which in a batch of one image leaves nothing to take a variance of.
    """

    def forward(self, input: Tensor) -> Tensor:
        if self.training and input.numel() == input.shape[1]:
            return functional.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self.eps
            )
        return super().forward(input)


class Heads(UperNetPreTrainedModel):
    """UPerNet's head, and the auxiliary one that learns alone."""

    def __init__(self, config: UperNetConfig, maps: Maps) -> None:
        super().__init__(config)
        # without a map of stride 16, the last but one, which it is of the usual four
        index = maps.strides.index(AUXILIARY_STRIDE) if AUXILIARY_STRIDE in maps.strides else len(maps.strides) - 2
        config.auxiliary_in_channels = maps.channels[index]
        self.decode_head = UperNetHead(config, maps.channels)
        self.auxiliary_head = UperNetFCNHead(config, maps.channels, in_index=index)
        for module in list(self.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.BatchNorm2d):
                    setattr(module, name, PatientBatchNorm(child.num_features))
        self.post_init()


class TransformersUPerNet(DenseModel):
    """UPerNet: a class for each pixel."""

    def __init__(self, task: Task, maps: Maps) -> None:
        super().__init__(task, maps)
        config = UperNetConfig()
        config.num_labels = task.classes
        self.heads = Heads(config, maps)

    def compute_losses(self, batch: Batch, targets: Sequence[Target]) -> dict[str, Tensor]:
        classes = join_classes(targets, batch.size).to(batch.pixels.device)
        maps = self.maps(batch.pixels)
        return {
            "loss": pixel_loss(enlarge(self.heads.decode_head(maps), batch.size), classes),
            "loss_auxiliary": AUXILIARY_WEIGHT
            * pixel_loss(enlarge(self.heads.auxiliary_head(maps), batch.size), classes),
        }

    def answer(self, batch: Batch) -> list[Answer]:
        scores = enlarge(self.heads.decode_head(self.maps(batch.pixels)), batch.size)
        classes = scores.argmax(dim=1)
        return [PixelClasses(own[:height, :width]) for own, (height, width) in zip(classes, batch.sizes, strict=True)]

    def run_for_cost(self, maps: Sequence[Tensor], size: tuple[int, int], part: Attribute) -> dict[str, int]:
        # all is head: the pyramid is inside of it, as in mmsegmentation, whose figures papers report
        with part("head"):
            enlarge(self.heads.decode_head(maps), size)
        return {}


def enlarge(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """Scores (B, classes, h, w) at a larger size, in float32."""
    return functional.interpolate(scores.float(), size=size, mode="bilinear", align_corners=False)


def pixel_loss(scores: Tensor, classes: Tensor) -> Tensor:
    """Mean cross entropy of the pixels that have a class; 0 where none has."""
    total = functional.cross_entropy(scores, classes, ignore_index=IGNORED, reduction="sum")
    return total / (classes != IGNORED).sum().clamp(min=1)


def join_classes(targets: Sequence[Target], size: tuple[int, int]) -> Tensor:
    """Maps of classes as one (B, H, W); there is no class where images were padded."""
    joined = []
    for target in targets:
        if not isinstance(target, PixelClasses):
            raise SpecError(Problem("upernet learns PixelClasses; Objects are for detectors", "targets"))
        height, width = target.classes.shape
        padding = (0, size[1] - width, 0, size[0] - height)
        joined.append(functional.pad(target.classes.long(), padding, value=IGNORED))
    return torch.stack(joined)
