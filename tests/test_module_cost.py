"""Rows by module path against the built model's modules, fvcore's count of each, and the other breakdowns."""

from __future__ import annotations

import pytest
import torch
from checkpoints import SMALL
from contract import COUNTED, attention_macs, count_params
from fvcore.nn import FlopCountAnalysis

import hiri_spec
from hiri_spec.files import SpecLike
from hiri_spec.module_cost import module_costs

NETWORKS = ["hiri_s_4stage", "pvt_v2_b2_li", "swin_tiny_patch4_window7_224", "davit_tiny", "hrnet_w18_small"]


@pytest.mark.parametrize("name", NETWORKS)
def test_they_are_the_models_modules_with_their_params(name: str) -> None:
    with torch.device("meta"):
        model = hiri_spec.build(name)
    rows = module_costs(model.spec, (64, 64), depth=99)
    modules = {path: module for path, module in model.named_modules() if path}
    assert {row.name: row.params for row in rows} == {path: count_params(each) for path, each in modules.items()}


@pytest.mark.parametrize("spec", [SMALL, "pvt_v2_b0"], ids=["small", "pvt_v2_b0"])
def test_macs_are_what_fvcore_sees_of_each_module(spec: SpecLike) -> None:
    model = hiri_spec.build(spec, classes=5).eval()
    analysis = FlopCountAnalysis(model, torch.randn(1, 3, 64, 96))
    analysis.set_op_handle("aten::scaled_dot_product_attention", attention_macs)
    analysis.unsupported_ops_warnings(False)
    analysis.uncalled_modules_warnings(False)
    analysis.tracer_warnings("none")
    seen = {
        path: sum(int(count) for operator, count in counts.items() if operator in COUNTED)
        for path, counts in analysis.by_module_and_operator().items()
    }
    for row in module_costs(model.spec, (64, 96), depth=99):
        assert row.macs == seen.get(row.name, 0), row.name


@pytest.mark.parametrize("name", NETWORKS)
def test_blocks_and_stages_cost_what_cost_says(name: str) -> None:
    cost = hiri_spec.cost(name)
    rows = {row.name: row for row in module_costs(hiri_spec.load(name), cost.resolution, depth=4)}
    for expected in [*cost.by_block(), *cost.by_stage()]:
        row = rows[expected.name]
        assert (row.kind, row.output, row.params, row.macs, row.memory_bytes) == (
            expected.kind,
            expected.output,
            expected.params,
            expected.macs,
            expected.memory_bytes,
        )


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_depth_only_leaves_rows_out(depth: int) -> None:
    spec = hiri_spec.load("hiri_s")
    rows = module_costs(spec, (448, 448), depth=depth)
    assert rows == [row for row in module_costs(spec, (448, 448), depth=99) if row.name.count(".") < depth]
    assert sum(row.macs for row in rows if "." not in row.name) == hiri_spec.cost(spec).macs
