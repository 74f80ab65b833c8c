"""Answers that were made up before, and the figures of them, for tests of evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from hiri_spec.tasks.evaluation import evaluate_scenes, figure_names
from hiri_spec.tasks.heads import HEADS
from hiri_spec.tasks.scenes import Answer, Found, Objects, Target

Batches = list[tuple[list[Tensor], list[Target]]]


class Known(nn.Module):
    """Gives answers that were made up before, by the number in an image's first pixel."""

    def __init__(self, answers: list[Answer]) -> None:
        super().__init__()
        self.answers = answers

    def forward(self, images: list[Tensor]) -> list[Answer]:
        assert not self.training
        return [self.answers[int(image[0, 0, 0])] for image in images]


def run(
    answers: list[Answer], targets: list[Target], sizes: list[tuple[int, int]], head: str, classes: int = 3, **more: Any
) -> dict[str, float]:
    images = [torch.full((3, *size), float(number)) for number, size in enumerate(sizes)]
    batches: Batches = [(images[at : at + 2], targets[at : at + 2]) for at in range(0, len(images), 2)]
    names = [f"class {number}" for number in range(classes)]
    figures = evaluate_scenes(Known(answers), batches, HEADS[head], len(names), Accelerator(cpu=True), **more)
    assert figures is not None
    assert tuple(figures) == figure_names(HEADS[head])
    return figures


def boxes(*corners: list[float]) -> Tensor:
    return torch.tensor(corners, dtype=torch.float32).reshape(-1, 4)


def made_up(count: int) -> tuple[list[Found], list[Objects]]:
    """Images with objects and what might be seen of them: moved, of other classes, made up; one without any."""
    chance = np.random.default_rng(0)
    answers, targets = [], []
    for number in range(count):
        height, width = (int(side) for side in chance.integers(100, 240, 2))
        objects = 0 if number == 1 else int(chance.integers(1, 7))
        masks = np.zeros((objects, height, width), bool)
        corners = np.zeros((objects, 4), np.float32)
        for index in range(objects):
            top, left = chance.integers(0, [height - 20, width - 20])
            bottom, right = chance.integers([top + 8, left + 8], [height, width], endpoint=True)
            masks[index, top:bottom, left:right] = True
            masks[index, top : (top + bottom) // 2, left : left + 3] = False
            corners[index] = left, top, right, bottom
        labels = chance.integers(3, size=objects)
        crowd = chance.random(objects) < 0.2
        targets.append(
            Objects(
                (height, width),
                torch.tensor(corners),
                torch.tensor(labels),
                torch.tensor(masks),
                torch.tensor(crowd),
                torch.tensor(masks.sum((1, 2)) * 0.9, dtype=torch.float32),
            )
        )
        shift = [int(chance.integers(-6, 7)) for _ in range(objects)]
        seen = np.stack([np.roll(mask, by, 1) for mask, by in zip(masks, shift, strict=True)]) if objects else masks
        moved = corners + np.array(shift, np.float32).reshape(-1, 1) * np.array([1, 0, 1, 0], np.float32)
        own = np.where(chance.random(objects) < 0.8, labels, (labels + 1) % 3)
        extra = np.array([[0, 0, 30, 30]], np.float32)
        extra_mask = np.zeros((1, height, width), bool)
        extra_mask[:, :30, :30] = True
        answers.append(
            Found(
                torch.tensor(np.concatenate([moved, extra])),
                torch.tensor(np.append(own, number % 3)),
                torch.tensor(chance.random(objects + 1), dtype=torch.float32),
                torch.tensor(np.concatenate([seen, extra_mask])),
            )
        )
    return answers, targets
