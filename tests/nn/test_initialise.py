"""Networks start with values of a sane size, however deep."""

import pytest
import torch

import hiri_spec


@pytest.mark.parametrize("depth", [2, 16])
def test_maps_start_neither_huge_nor_dead(depth: int) -> None:
    spec = hiri_spec.load("hiri_s", set={"stages.0.depth": depth, "stages.1.depth": depth, "stages.3.depth": 1})
    torch.manual_seed(0)
    model = hiri_spec.build(spec, classes=10).train()
    with torch.no_grad():
        maps = model.forward_intermediates(torch.randn(4, 3, 96, 96), intermediates_only=True)
        scores = model(torch.randn(4, 3, 96, 96))
    assert all(0.05 < each.std() < 20 for each in maps)
    assert 0.01 < scores.std() < 3


def test_biases_start_at_zero_and_norms_at_one() -> None:
    model = hiri_spec.build("pvt_v2_b0")
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            assert not parameter.any()
        elif "norm" in name:
            assert torch.equal(parameter, torch.ones_like(parameter))
