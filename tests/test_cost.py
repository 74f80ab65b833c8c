"""Costs: breakdowns add up, equal specs cost the same, and the limits hold."""

import pytest
from hypothesis import given, settings
from strategies import model_specs

import hiri_spec
from hiri_spec import ModelSpec, SpecError
from hiri_spec.cost import check_affordable


@settings(deadline=None, max_examples=40)
@given(spec=model_specs())
@pytest.mark.parametrize("by", ["stage", "block", "op"])
def test_breakdowns_add_up(by: str, spec: ModelSpec) -> None:
    cost = hiri_spec.cost(spec, (50, 77), batch=3)
    rows = getattr(cost, f"by_{by}")()
    assert sum(row.params for row in rows) == cost.params
    assert sum(row.macs for row in rows) == cost.macs
    if by != "op":
        assert sum(row.training_memory_bytes for row in rows) == cost.training_memory_bytes
        assert max(row.memory_bytes for row in rows) == cost.memory_bytes


def test_rows_are_named_by_module_path() -> None:
    names = [row.name for row in hiri_spec.cost("hiri_s").by_block()]
    assert names[:5] == ["stem", "stages.0.blocks.0", "stages.0.blocks.1", "stages.1.downsample", "stages.1.blocks.0"]
    assert names[-1] == "head"
    modules = dict(hiri_spec.build("hiri_s").named_modules())
    assert set(names) <= set(modules)


def test_rows_by_stage() -> None:
    rows = hiri_spec.cost("hiri_s").by_stage()
    assert [row.name for row in rows] == ["stem", *(f"stages.{index}" for index in range(5)), "head"]
    assert [row.kind for row in rows][3] == "irds_a + cffn x4"
    assert [row.output for row in rows][1:6] == [
        (32, 112, 112),
        (64, 56, 56),
        (128, 28, 28),
        (320, 14, 14),
        (640, 7, 7),
    ]


def test_attention_is_counted() -> None:
    by_op = {row.name: row for row in hiri_spec.cost("hiri_s", 448).by_op()}
    assert by_op["attention"].macs == 2 * (9 * 196**2 * 320 + 4 * 49**2 * 640)


def test_memory_grows_with_the_batch() -> None:
    one, eight = (hiri_spec.cost("hiri_s", batch=batch) for batch in (1, 8))
    assert eight.macs == one.macs
    assert eight.memory_bytes == 8 * one.memory_bytes
    assert 7 * one.training_memory_bytes < eight.training_memory_bytes < 8 * one.training_memory_bytes


def test_depth_name_and_file_do_not_change_a_block() -> None:
    spec = hiri_spec.load("hiri_s")
    renamed = hiri_spec.load("hiri_s", set={"stages.0.name": "first", "name": "other"})
    assert hiri_spec.cost(renamed).macs == hiri_spec.cost(spec).macs


def test_repr_says_what_matters() -> None:
    assert repr(hiri_spec.cost("hiri_s")) == "Cost(hiri_s at 448x448: 34.39 M params, 5.009 GMACs)"


def test_no_images() -> None:
    with pytest.raises(SpecError, match="batch: 0 is no number of images; use a whole one from 1 on"):
        hiri_spec.cost("hiri_s", batch=0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stem": {"stem": "hrnet", "depth": 10**15}, "stages.0.downsample": "irds_a"}, "stem hrnet"),
        ({"stages.0": {"block": "streams", "depth": 1, "width": 32, "streams": 1, "blocks": 10**15}}, "block streams"),
    ],
    ids=["stem", "block"],
)
def test_a_part_that_repeats_itself_without_end(changes: dict[str, object], told: str) -> None:
    with pytest.raises(SpecError, match=f"^{told} has more than 20,000 operations; lower the numbers in it$"):
        hiri_spec.cost(hiri_spec.load("hiri_s", set=changes))


def test_limits_can_be_raised() -> None:
    spec = hiri_spec.load("hiri_s", set={"stages.4.depth": 10_000})
    with pytest.raises(SpecError, match=r"hiri_s has .* parameters, more than the limit of 2e\+10; .* max_params=…"):
        check_affordable(spec)
    check_affordable(spec, max_params=1e12)
