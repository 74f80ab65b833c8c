"""A batch of one image that is too small for a batch norm to learn from is told, in a loop of one's own too."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from dense_scenes import tiny_under
from torch import Tensor

from hiri_spec import SpecError
from hiri_spec.tasks.scenes import Objects, Target
from hiri_spec.train.single_images import told_single_images

IMAGE = torch.zeros(3, 31, 31)
TARGET = Objects((31, 31), torch.tensor([[4.0, 4, 20, 20]]), torch.tensor([0]))


@pytest.mark.parametrize("head", ["atss", "retinanet"])
def test_a_single_position_is_told(head: str) -> None:
    model = tiny_under(head).train()
    with pytest.raises(SpecError, match=r"^batch_size: a batch had one image, .*; use more images a batch"):
        model([IMAGE], [TARGET])


@pytest.mark.parametrize(
    ("images", "targets"),
    [([IMAGE] * 2, [TARGET] * 2), ([torch.zeros(3, 31, 66)], [replace(TARGET, size=(31, 66))])],
    ids=["two", "a larger one"],
)
def test_more_are_learnt_from(images: list[Tensor], targets: list[Target]) -> None:
    losses = tiny_under("atss").train()(images, targets)
    assert all(loss.isfinite().all() for loss in losses.values())


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match=r"^another$"), told_single_images():
        raise ValueError("another")
