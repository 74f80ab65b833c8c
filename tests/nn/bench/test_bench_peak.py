"""The dense products that stand for what a machine can do."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from hiri_spec.nn.bench.peak import make_kernels


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_macs_are_what_torch_counts(dtype: torch.dtype) -> None:
    kernels = make_kernels(torch.device("meta"), dtype)
    assert len({kernel.name for kernel in kernels}) == len(kernels) >= 5
    for kernel in kernels:
        with FlopCounterMode(display=False) as counter:
            out = kernel.call()
        assert counter.get_total_flops() == 2 * kernel.macs
        assert kernel.macs > 4e8, "long enough to reach the peak"
        assert out.dtype == dtype


def test_layouts() -> None:
    kernels = make_kernels(torch.device("cpu"), torch.float32)
    last = [kernel.call() for kernel in kernels if kernel.name.endswith("channels_last")]
    assert len(last) == 2
    assert all(out.is_contiguous(memory_format=torch.channels_last) for out in last)
