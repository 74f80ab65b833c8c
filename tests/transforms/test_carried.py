"""What stays keeps its weights, and computes what it computed."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.transforms import Scaled, find_carried, scale

MIXED = {
    "name": "mixed",
    "stem": "vit",
    "stages": [
        [{"block": block, "depth": 1, "width": 32} for block in ("hr", "cffn", "hr")],
        {"block": "cffn", "depth": 2, "width": 64, "norm": "layer", "downsample": "strided"},
    ],
    "head": {"classes": 10},
}
"""HR blocks on both sides of one that is replaced."""
DUAL = {
    "name": "dual",
    "stem": "vit",
    "stages": [
        {"block": "davit", "depth": 1, "width": 32, "heads": 1},
        {"block": "davit", "depth": 1, "width": 64, "heads": 2, "downsample": "norm_conv"},
        {"block": "swin", "depth": 1, "width": 64, "heads": 2, "downsample": "merging"},
    ],
    "head": {"classes": 10},
}


def randomise(model: nn.Module) -> nn.Module:
    """Other weights and statistics everywhere, in evaluation."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand_like(tensor) + 0.5 if name.endswith("var") else torch.randn_like(tensor) * 0.1)
    return model.eval()


@pytest.mark.parametrize("spec", ["pvt_v2_b0", "hrnet_w18_small", pytest.param(MIXED, id="mixed")])
def test_they_are_carried_over(spec: Any) -> None:
    original, scaled = randomise(hiri_spec.build(spec)), scale(spec)
    model, weights = randomise(hiri_spec.build(scaled.spec)), original.state_dict()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    carried = hiri_spec.carry_weights(model, scaled, weights)
    kept = 0
    for name, tensor in model.state_dict().items():
        place, _, what = name.rpartition(".")
        if place in carried.places:
            assert torch.equal(tensor, weights[f"{carried.places[place]}.{what}"])
            kept += tensor.numel() if name in dict(model.named_parameters()) else 0
        else:
            assert torch.equal(tensor, before[name])
    assert kept == carried.params
    assert carried.params + sum(carried.new.values()) == hiri_spec.cost(scaled.spec).params


@pytest.mark.parametrize(
    ("spec", "without", "runs"),
    [
        ("pvt_v2_b0", [], {"stages.3.blocks": "stages.2.blocks", "stages.4.blocks": "stages.3.blocks"}),
        ("pvt_v2_b0", ["downsample", "norm"], {"stages.2": "stages.1", "stages.3": "stages.2", "stages.4": "stages.3"}),
        (DUAL, [], {"stages.2.blocks": "stages.1.blocks", "stages.3.blocks": "stages.2.blocks"}),
        (MIXED, [], {"stages.1.blocks": "stages.0.blocks", "stages.1.hr": "stages.0.hr"}),
        (MIXED, ["blocks"], {"stages.1.cffn": "stages.0.cffn"}),
    ],
    ids=["pvt", "pvt_without", "dual", "mixed", "mixed_without_blocks"],
)
def test_what_stays_computes_what_it_computed(spec: Any, without: list[str], runs: dict[str, str]) -> None:
    """Number for number: the runs of both models on the same maps."""
    original, scaled = randomise(hiri_spec.build(spec)), scale(spec, without=without)
    model = randomise(hiri_spec.build(scaled.spec))
    hiri_spec.carry_weights(model, scaled, original.state_dict())
    for new, old in runs.items():
        x = torch.randn(1, widths_in(original.get_submodule(old)), 8, 8)
        with torch.no_grad():
            want, got = original.get_submodule(old)(x), model.get_submodule(new)(x)
        assert torch.isfinite(want).all()
        assert torch.equal(want, got)


def widths_in(module: nn.Module) -> int:
    """Channels that go into a module: those of its first convolution or norm."""
    first = next(each for each in module.modules() if isinstance(each, nn.Conv2d) or hasattr(each, "normalized_shape"))
    return int(first.in_channels if isinstance(first, nn.Conv2d) else first.normalized_shape[0])  # type: ignore[index]


@pytest.mark.parametrize("name", ["pvt_v2_b2", "davit_tiny", "hrnet_w18", "hiri_s_4stage"])
def test_parts_of_another_kind_keep_nothing(name: str) -> None:
    scaled = scale(name)
    places = find_carried(scaled).places
    assert not [new for new in places if new.startswith(("stem", "stages.0.", "stages.1."))]


def test_only_the_norms_of_a_stage_are_new() -> None:
    """PVTv2's attention and MLP stay where a norm changes."""
    carried = find_carried(scale("pvt_v2_b2"))
    by_reason = carried.reasons["stages.2"]
    norms = "norm: mlp_norm of transformer: layer became batch; norm: norm of norm: layer became batch"
    assert by_reason == {"downsample: strided became irds_a": 279552, norms: 2 * 128 * 5}
    assert "stages.2.blocks.0.attention.query" in carried.places
    assert "stages.2.blocks.0.mlp.expand" in carried.places
    assert "stages.2.blocks.0.mlp.norm" not in carried.places


STREAMS = "streams: high: basic became hr, two blocks for each"
REASONS = [
    ("pvt_v2_b2", ["stem"], "stem", {"its output is of another width", "of another width"}),
    (
        "hrnet_w18",
        [],
        "stages.2",
        {"its input is of another width", "streams: high: basic became hr, two blocks for each"},
    ),
    ("hiri_s", [], "stages.1", {"stage: downsample added; downsample: irds_a for the one added"}),
    ("hiri_s", [], "stages.0", {"stage: new"}),
]


@pytest.mark.parametrize(("name", "without", "part", "reasons"), REASONS, ids=[f"{c[0]}-{c[2]}" for c in REASONS])
def test_why_it_is_new(name: str, without: list[str], part: str, reasons: set[str]) -> None:
    scaled = scale(name, resolution=2 * hiri_spec.load(name).size[0], without=without)
    assert set(find_carried(scaled).reasons[part]) == reasons


def test_every_new_layer_has_a_reason() -> None:
    for name in ("pvt_v2_b0", "davit_tiny", "swin_tiny_patch4_window7_224", "hrnet_w18_small"):
        for rules in ([], ["downsample", "norm"], ["streams"]):
            assert all(reason for part in reasons_of(scale(name, without=rules)) for reason in part)


def reasons_of(scaled: Scaled) -> list[list[str]]:
    return [list(counts) for counts in find_carried(scaled).reasons.values()]


def test_nothing_is_half_loaded() -> None:
    scaled = scale("pvt_v2_b0")
    model = hiri_spec.build(scaled.spec)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(SpecError, match=r"give the state dict of a model of pvt_v2_b0; nothing was loaded"):
        hiri_spec.carry_weights(model, scaled, hiri_spec.build("pvt_v2_b1").state_dict())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
