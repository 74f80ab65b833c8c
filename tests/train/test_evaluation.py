"""Accuracies and loss are those counted by hand, whatever the batches."""

from __future__ import annotations

import math

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from hiri_spec.train.evaluation import Scores, evaluate

IMAGES, CLASSES = 23, 7


class Known(nn.Module):
    """Gives the scores that stand in the images."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, 0, 0]


@pytest.fixture(scope="module")
def scores() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(CLASSES, (IMAGES,), generator=generator)
    return torch.randn(IMAGES, CLASSES, generator=generator), targets


def run(scores: tuple[Tensor, Tensor], size: int, classes: int = CLASSES) -> Scores:
    batches = [
        (own[:, None, None].expand(-1, 3, 2, -1), targets)
        for own, targets in zip(scores[0].split(size), scores[1].split(size), strict=True)
    ]
    return evaluate(Known(), batches, classes, Accelerator(cpu=True))


@pytest.mark.parametrize("size", [1, 5, 23], ids=str)
def test_by_hand(scores: tuple[Tensor, Tensor], size: int) -> None:
    own, targets = scores
    ranks = (own > own.gather(1, targets[:, None])).sum(1)
    found = run(scores, size)
    assert found.top1 == pytest.approx(100 * (ranks == 0).float().mean().item(), rel=1e-6)
    assert found.top5 == pytest.approx(100 * (ranks < 5).float().mean().item(), rel=1e-6)
    assert found.loss == pytest.approx(nn.functional.cross_entropy(own, targets).item(), rel=1e-5)


def test_scores_that_are_no_numbers_are_not_left_out(scores: tuple[Tensor, Tensor]) -> None:
    spoiled = scores[0].clone()
    spoiled[3] = math.nan
    assert math.isnan(run((spoiled, scores[1]), 5).loss)


def test_few_classes(scores: tuple[Tensor, Tensor]) -> None:
    found = run((scores[0][:, :3], scores[1] % 3), 5, classes=3)
    assert found.top5 == 100
    assert found.top1 < 100


@pytest.mark.parametrize("mode", [True, False], ids=["train", "eval"])
def test_the_mode_stays_and_dropout_is_off(mode: bool) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.9)).train(mode)
    images = torch.rand(4, 3, 1, 1)
    found = evaluate(model, [(images, images.flatten(1).argmax(1))], 3, Accelerator(cpu=True))
    assert found.top1 == 100
    assert model.training is mode
