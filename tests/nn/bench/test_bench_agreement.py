"""A mode's output is held against the plain module's, and a batch norm's statistics make that a real test."""

from __future__ import annotations

import numpy
import pytest
import torch
from torch import nn

from hiri_spec.nn.bench.agreement import DisagreementError, check_agreement, get_tolerance, settle_statistics

REFERENCE = torch.tensor([[1.0, -4.0, 2.0]])


def test_settled_statistics_are_those_of_the_images() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Dropout(0.5), nn.Flatten()).eval()
    images = 5 + 3 * torch.randn(2, 3, 16, 16)
    settle_statistics(module, images)
    maps = module[0](images)
    torch.testing.assert_close(module[1].running_mean, maps.mean((0, 2, 3)))
    assert not any(each.training for each in module.modules())
    assert module[1].momentum == 0.1
    out = module(images)
    assert abs(out.mean().item()) < 1e-3
    assert out.std().item() == pytest.approx(1, abs=1e-2)


def test_nothing_to_settle() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)).eval()
    settle_statistics(module, torch.full((1, 7), torch.nan))  # of a shape that the module would not take


@pytest.mark.parametrize("scale", [1e-16, 1.0, 3e7])
def test_the_difference_is_relative_to_the_largest_value(scale: float) -> None:
    other = REFERENCE + torch.tensor([[0.0, 0.0, 0.02]])
    assert check_agreement(other * scale, REFERENCE * scale, 0.01) == pytest.approx(0.005, rel=1e-4)
    with pytest.raises(DisagreementError, match=r"differs from the plain model's by 0\.005 of .*explains 0\.001"):
        check_agreement(other * scale, REFERENCE * scale, 0.001)


def test_arrays_and_zeros() -> None:
    assert check_agreement(numpy.array([[1.0, -4.0, 2.0]], dtype=numpy.float32), REFERENCE, 0) == 0
    assert check_agreement(torch.zeros(2), torch.zeros(2), 0) == 0
    with pytest.raises(DisagreementError, match="by 1 of the largest"):
        check_agreement(torch.ones(2), torch.zeros(2), 0.1)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_values_that_are_not_finite(value: float) -> None:
    with pytest.raises(DisagreementError, match="infinite or undefined"):
        check_agreement(torch.full((1, 3), value), REFERENCE, 1)


def test_another_shape() -> None:
    with pytest.raises(DisagreementError, match=r"its output is \(3,\), the plain model's \(1, 3\)"):
        check_agreement(REFERENCE[0], REFERENCE, 1)


def test_tolerances_follow_the_precision() -> None:
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    exact = get_tolerance(cpu, torch.float32)
    assert exact < get_tolerance(cuda, torch.float32) < get_tolerance(cuda, torch.bfloat16)
