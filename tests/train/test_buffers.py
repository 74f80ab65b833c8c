"""What processes have to agree on after a step: the statistics that it has changed."""

from __future__ import annotations

from typing import Any, cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from hiri_spec.files import load
from hiri_spec.tasks.maps import make_maps
from hiri_spec.tasks.task import Task
from hiri_spec.train.devices import average_buffers


class Two:
    """Two processes, the other of which has nothing but zeros."""

    num_processes = 2

    def __init__(self) -> None:
        self.exchanged = 0

    def reduce(self, tensor: Tensor, reduction: str) -> Tensor:
        assert reduction == "mean"
        self.exchanged += tensor.numel()
        return tensor / 2


def average(model: nn.Module) -> int:
    """Average over two processes; returns how many numbers went over."""
    two = Two()
    average_buffers(model, cast(Accelerator, cast(Any, two)))
    return two.exchanged


def test_statistics_become_the_mean() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(2)).train()
    assert average(model) == 2 * (3 + 2)
    assert all(norm.running_var.eq(0.5).all() for norm in model)
    assert all(norm.num_batches_tracked == 0 for norm in model)


def test_frozen_norms_are_left_out() -> None:
    maps = make_maps(load("tiny"), Task(head="atss", norms="frozen")).train()
    before = {name: buffer.clone() for name, buffer in maps.named_buffers()}
    assert before
    assert average(maps) == 0
    assert all(torch.equal(buffer, before[name]) for name, buffer in maps.named_buffers())
