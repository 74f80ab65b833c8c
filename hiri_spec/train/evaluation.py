"""How good a network is on held-out images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics import MetricCollection, SumMetric
from torchmetrics.classification import MulticlassAccuracy


@dataclass(frozen=True, slots=True)
class Scores:
    """Loss and accuracies over all images of a data set; accuracies in per cent."""

    loss: float
    top1: float
    top5: float


@torch.no_grad()
def evaluate(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    classes: int,
    accelerator: Accelerator,
    *,
    observe: Callable[[Tensor, Tensor], None] | None = None,
) -> Scores:
    """Run a network over batches of images and class indices, those of all processes together.

    `classes` is the number of its scores; of fewer than five, top5 is over all of them. The network is left in the
    mode that it came in. `observe` is given each batch's scores and class indices.
    """
    accuracies = MetricCollection(
        {
            "top1": MulticlassAccuracy(classes, average="micro", validate_args=False),
            "top5": MulticlassAccuracy(classes, top_k=min(5, classes), average="micro", validate_args=False),
        },
        compute_groups=False,
    ).to(accelerator.device)
    # one that isn't told to leave nan alone leaves out the batches that gave it
    total_loss, count = (SumMetric(nan_strategy="disable").to(accelerator.device) for _ in range(2))
    was_training = model.training
    model.eval()
    try:
        for images, targets in batches:
            with accelerator.autocast():
                scores = model(images.to(accelerator.device, non_blocking=True)).float()
            targets = targets.to(accelerator.device, non_blocking=True)
            accuracies.update(scores, targets)
            if observe is not None:
                observe(scores, targets)
            total_loss.update(functional.cross_entropy(scores, targets, reduction="sum"))
            count.update(len(targets))
    finally:
        model.train(was_training)
    shares = accuracies.compute()
    loss = float(total_loss.compute() / count.compute())
    return Scores(loss, 100 * float(shares["top1"]), 100 * float(shares["top5"]))
