"""Fitting to a budget along a network's own proportions."""

from __future__ import annotations

import pytest

import hiri_spec
from hiri_spec import SpecError

CASES = [(name, gmacs) for name in ("hiri_s", "pvt_v2_b2", "swin_tiny_patch4_window7_224") for gmacs in (1.5, 4, 9, 20)]


@pytest.mark.parametrize(("name", "gmacs"), [*CASES, ("hrnet_w32", 4), ("hrnet_w32", 20)])
def test_within_the_budget_and_on_the_grid(name: str, gmacs: float) -> None:
    before, after = hiri_spec.load(name), hiri_spec.fit_to_budget(name, gmacs=gmacs)
    assert 0.9 * gmacs * 1e9 <= hiri_spec.cost(after).macs <= gmacs * 1e9
    assert len(after.stages) == len(before.stages)
    for old_stage, new_stage in zip(before.stages, after.stages, strict=True):
        for old, new in zip(old_stage, new_stage, strict=True):
            assert new.width % 8 == 0
            assert type(new) is type(old)
            if hasattr(old, "heads"):
                assert new.width // new.heads == old.width // old.heads


def test_a_network_within_its_budget_stays_much_as_it_is() -> None:
    after = hiri_spec.fit_to_budget("hiri_s", gmacs=5.01)
    assert [stage[0].depth for stage in after.stages] == [2, 2, 4, 9, 4]
    assert [stage[0].width for stage in after.stages] == [32, 64, 128, 320, 640]


@pytest.mark.parametrize("gmacs", [0, -1])
def test_no_budget(gmacs: float) -> None:
    with pytest.raises(SpecError, match="is no budget; give GMACs above 0"):
        hiri_spec.fit_to_budget("hiri_s", gmacs=gmacs)


def test_a_budget_out_of_reach() -> None:
    with pytest.raises(
        SpecError,
        match=r"hiri_s: no network of these proportions costs 0\.000 .* stages\[4\] moves in the largest steps, of 32",
    ):
        hiri_spec.fit_to_budget("hiri_s", gmacs=0.0001)
