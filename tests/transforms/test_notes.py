"""The comments in a scaled network's YAML: whatever differs from the original is told, and nothing that doesn't."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import hiri_spec
from hiri_spec.files import as_spec, to_data
from hiri_spec.network import run_names
from hiri_spec.schema import Stage
from hiri_spec.transforms import Scaled, fit, scale

OPTIONS = {
    "name": "options",
    "description": "Options wherever there are any.",
    "stem": {"stem": "conv", "width": 48, "activation": "relu"},
    "stages": [
        [
            {"block": "hr", "depth": 4, "width": 64, "kernel": 5},
            {"block": "transformer", "depth": 1, "width": 64, "heads": 2, "layer_scale": 0.1, "name": "attentive"},
            {"block": "norm", "width": 64, "norm": "batch"},
            {"block": "hr", "depth": 1, "width": 64},
        ],
        {"block": "ffn", "depth": 1, "width": 96, "downsample": {"downsample": "strided", "kernel": 5}},
        {"block": "cffn", "depth": 1, "width": 128, "downsample": {"downsample": "merging", "norm": "layer"}},
        {"block": "cffn", "depth": 1, "width": 128, "norm": "layer", "downsample": "irds_b"},
        {"block": "cffn", "depth": 1, "width": 128, "norm": "layer", "downsample": "norm_conv"},
    ],
}
FIVE_STAGES_HR = {**to_data(hiri_spec.load("hiri_s")), "stem": {"stem": "hr", "width": 32, "activation": "relu"}}
SPECS: list[Any] = [
    *("pvt_v2_b2", "davit_tiny", "swin_tiny_patch4_window7_224", "hrnet_w18_small", "hiri_s_4stage", "hiri_s"),
    pytest.param(OPTIONS, id="options"),
    pytest.param(FIVE_STAGES_HR, id="five_stages"),
]


def runs_by_name(stage: Stage, data: Any) -> dict[str, dict[str, Any]]:
    return dict(zip(run_names(stage), data if isinstance(data, list) else [data], strict=True))


def differing(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What must be told of one run that stays: each key that differs, with what was written there."""
    for key in before.keys() | after.keys():
        old = key if key == "heads" else before.get(key, key)  # their number follows from the width
        if before.get(key) != after.get(key):
            yield from ((key, str(value)) for value in (old.values() if isinstance(old, dict) else [old]))


def to_be_told(scaled: Scaled) -> Iterator[tuple[str, str]]:
    """Place, and a word that must be told there."""
    old, new = to_data(scaled.original), to_data(scaled.spec)
    for key, value in old["stem"].items():
        if new["stem"].get(key) != value and not (old["stem"]["stem"] == "hrnet" and key != "stem"):
            yield "stem", str(value)
    for index, origin in enumerate(scaled.origins):
        place = f"stages[{index}]"
        after = runs_by_name(scaled.spec.stages[index], new["stages"][index])
        if origin is None:
            yield place, next(iter(after.values()))["block"] if index else "new"
            continue
        before = runs_by_name(scaled.original.stages[origin], old["stages"][origin])
        for name, run in before.items():
            if name in after and after[name]["block"] == run["block"]:
                for key, value in differing(run, after[name]):
                    yield from ((place, word) for word in (key, value))
                continue
            yield place, f"{run['block']} x{run.get('depth', 1)}"
            kept = after.get(name, {})
            yield from ((place, f"{key}: ") for key in run if key not in {"block", "depth", *kept, "width"})
        for name, run in after.items():
            if name not in before or before[name]["block"] != run["block"]:
                yield place, f"{run['block']} x{run['depth']}"
    heads = old["head"], new["head"]
    yield from (("head", key) for key, _ in differing(*heads))
    assert old.get("in_channels") == new.get("in_channels")


def not_told(scaled: Scaled) -> list[tuple[str, str]]:
    """What should be told and isn't, after a first item, which shows that something should."""
    told = {place: "; ".join(map(str, notes)) for place, notes in scaled.notes.items()}
    wanted = list(to_be_told(scaled))
    return [wanted[0], *[(place, word) for place, word in wanted if word not in told.get(place, "")]]


@pytest.mark.parametrize("without", [[], ["blocks", "downsample"], ["stem", "norm"]], ids=",".join)
@pytest.mark.parametrize("spec", SPECS)
def test_whatever_differs_is_told(spec: Any, without: list[str]) -> None:
    if spec == "hrnet_w18_small" and without:
        without = ["stem", "stage", "blocks"] if "stem" in without else ["downsample"]
    original = as_spec(spec)
    scaled = scale(spec, resolution=2 * original.size[0], without=without)
    assert not_told(scaled)[1:] == []
    first = scaled.text.splitlines()[0]
    assert first.startswith(f"# {original.name} taken from {original.size[0]} to {2 * original.size[0]} ")
    assert ("description" in first) == (original.description is not None)


@pytest.mark.parametrize(
    ("name", "gmacs"), [("pvt_v2_b2", 1), ("pvt_v2_b2", 9), ("davit_tiny", 2.5), ("hrnet_w18", 3), ("hrnet_w18", 9)]
)
def test_whatever_fitting_changes_is_told(name: str, gmacs: float) -> None:
    assert not_told(fit(scale(name), gmacs=gmacs))[1:] == []
    assert not_told(fit(name, gmacs=gmacs))[1:] == []


@pytest.mark.parametrize("spec", SPECS)
def test_what_is_told_is_so(spec: Any) -> None:
    original = as_spec(spec)
    scaled = scale(spec, resolution=2 * original.size[0])
    before: dict[str, Any] = {"stem": to_data(original)["stem"]}
    after: dict[str, Any] = {"stem": to_data(scaled.spec)["stem"]}
    for index, origin in enumerate(scaled.origins):
        place = f"stages[{index}]"
        stage = original.stages[origin] if origin is not None else ()
        before[place] = repr(stage)
        after[place] = to_data(scaled.spec)["stages"][index]
    for place, notes in scaled.notes.items():
        for old, new in re.findall(r"(\w+) became (\w+)", "; ".join(map(str, notes))):
            assert old != new
            assert old in str(before[place])
            assert new in str(after[place])


def comments(scaled: Scaled, place: str) -> list[str]:
    return [str(note) for note in scaled.notes[place]]


def test_the_old_first_stage_had_no_downsampling() -> None:
    assert comments(scale("pvt_v2_b2"), "stages[1]") == [
        "stage: downsample added",
        "blocks: hr x6 for transformer x3, norm x1 left out (gone: heads: 1, reduction: 8, mlp_norm: layer, "
        "expansion: 8)",
        "downsample: irds_a for the one added",
    ]
    assert comments(scale("pvt_v2_b2", without=["blocks", "downsample"]), "stages[1]")[0] == "stage: downsample added"


def test_an_hr_stem_only_gets_narrower() -> None:
    scaled = scale(FIVE_STAGES_HR, resolution=896)
    assert comments(scaled, "stem") == ["stem: width: 32 became 16, as the first stage's"]
    assert to_data(scaled.spec)["stem"] == {"stem": "hr", "width": 16, "activation": "relu"}
    wide = {**FIVE_STAGES_HR, "stages": [{**stage, "width": 320} for stage in FIVE_STAGES_HR["stages"]]}
    assert "stem" not in scale(wide, resolution=896).notes


def test_hr_blocks_stay_and_others_are_replaced() -> None:
    """Blocks that are HR blocks already keep their number, options and names; the new stage has as many."""
    scaled = scale(OPTIONS)
    front, first = to_data(scaled.spec)["stages"][:2]
    assert [run["depth"] for run in front] == [4, 2, 1]
    assert first == [
        {"block": "hr", "depth": 4, "width": 64, "kernel": 5, "downsample": "irds_a"},
        {"block": "hr", "depth": 2, "width": 64, "layer_scale": 0.1, "name": "attentive"},
        {"block": "hr", "depth": 1, "width": 64},
    ]
    assert run_names(scaled.spec.stages[1]) == ["blocks", "attentive", "hr"]


def test_names_stay_where_a_neighbour_becomes_an_hr_block() -> None:
    stage = [{"block": block, "depth": 1, "width": 64} for block in ("norm", "hr", "cffn", "hr")]
    scaled = scale({"name": "a", "stem": "vit", "stages": [stage]})
    assert run_names(scaled.spec.stages[1]) == ["hr", "hr_3", "hr_2"]
    assert comments(scaled, "stages[1]")[1] == (
        "blocks: norm x1 left out, hr x2 for cffn x1, hr x1 named hr as before, hr x1 named hr_2 as before"
    )


@pytest.mark.parametrize(("width", "half"), [(192, 96), (96, 32), (64, 32), (40, 16), (24, 8), (16, 8)])
def test_new_widths_are_on_the_grid(width: int, half: int) -> None:
    spec = {"name": "a", "stem": "vit", "stages": [{"block": "cffn", "depth": 1, "width": width}]}
    assert hiri_spec.scale_up(spec).stages[0][0].width == half
