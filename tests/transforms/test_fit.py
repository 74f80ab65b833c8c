"""Fitting to a budget along a network's own proportions."""

from __future__ import annotations

from math import exp, inf, nan
from typing import Any

import pytest

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.document import parse
from hiri_spec.files import to_data
from hiri_spec.messages import validate
from hiri_spec.transforms import fit, scale
from hiri_spec.transforms.proportions import deviation
from hiri_spec.transforms.sizes import Sizes

SWIN = "swin_tiny_patch4_window7_224"
CASES = [(name, gmacs) for name in ("hiri_s", "pvt_v2_b2", SWIN) for gmacs in (1.5, 4, 9, 20)]


@pytest.mark.parametrize(("name", "gmacs"), [*CASES, ("hrnet_w32", 3), ("hrnet_w32", 20), ("pvt_v2_b0", 100)])
def test_within_the_budget_and_on_the_grid(name: str, gmacs: float) -> None:
    before, after = hiri_spec.load(name), hiri_spec.fit_to_budget(name, gmacs=gmacs)
    assert 0.94 * gmacs * 1e9 <= hiri_spec.cost(after).macs <= gmacs * 1e9
    assert len(after.stages) == len(before.stages)
    for old_stage, new_stage in zip(before.stages, after.stages, strict=True):
        for old, new in zip(old_stage, new_stage, strict=True):
            assert new.width % 8 == 0
            assert type(new) is type(old)
            if hasattr(old, "heads"):
                assert new.width // new.heads == old.width // old.heads


@pytest.mark.parametrize(
    ("name", "gmacs", "most"),
    [
        ("hiri_s", 3, 1.15),
        ("hiri_s", 20, 1.05),
        (SWIN, 15, 1.15),
        ("pvt_v2_b2", 2, 1.3),
        ("pvt_v2_b2", 8, 1.01),
        ("hrnet_w32", 3, 1.5),
        ("hrnet_w32", 15, 1.1),
        ("hrnet_w18", 2, 1.4),
        ("davit_tiny", 3, 1.25),
    ],
)
def test_proportions_are_kept(name: str, gmacs: float, most: float) -> None:
    """No width or depth is off the common factor of its kind by more than a factor `most`."""
    spec = hiri_spec.load(name)
    before, after = Sizes(spec), Sizes(hiri_spec.fit_to_budget(spec, gmacs=gmacs))
    for old, new in ((before.widths, after.widths), (before.depths, after.depths)):
        off = deviation([size.value for size in old], [size.value for size in new])
        assert exp(max(map(abs, off.each))) <= most


@pytest.mark.parametrize(("name", "gmacs"), [("hrnet_w32", 3), ("hrnet_w32", 15), ("pvt_v2_b2", 2), ("hiri_s", 20)])
def test_depths_do_not_move_against_the_budget(name: str, gmacs: float) -> None:
    before, after = hiri_spec.load(name), hiri_spec.fit_to_budget(name, gmacs=gmacs)
    is_to_shrink = hiri_spec.cost(before).macs > gmacs * 1e9
    for old, new in zip(before.stages, after.stages, strict=True):
        assert (new[0].depth <= old[0].depth) if is_to_shrink else (new[0].depth >= old[0].depth)


def test_where_heads_are_too_wide_depths_give_way_and_it_is_told() -> None:
    """PVTv2-B2's first stage has one head of 64 channels, and no width below that."""
    fitted = fit("pvt_v2_b2", gmacs=1)
    assert [stage[0].width for stage in fitted.spec.stages] == [64, 128, 192, 384]
    assert [stage[0].depth for stage in fitted.spec.stages] == [1, 1, 2, 1]
    assert [str(note) for note in fitted.notes["stages[2]"]] == [
        "fit: width: 320 became 192, heads with it, width 1.37 x below its proportion, as heads keep their 64 channels",
        "fit: depth: 6 became 2",
    ]


def test_stem_and_head_move_too() -> None:
    """HRNet's, whatever of them is written."""
    for stem in ("hrnet", {"stem": "hrnet", "width": 64, "inner": 64}, {"stem": "hrnet", "width": 72}):
        fitted = fit(hiri_spec.load("hrnet_w32", set={"stem": stem}), gmacs=2.4).spec
        stem_after, head = to_data(fitted)["stem"], to_data(fitted)["head"]
        assert stem_after["width"] <= 40
        assert stem_after["inner"] <= 32
        assert head["width"] <= 1100
        assert head["inner"] <= 24


def test_streams_keep_one_width() -> None:
    for gmacs in (3, 10, 20):
        assert len({stage[0].width for stage in hiri_spec.fit_to_budget("hrnet_w18", gmacs=gmacs).stages}) == 1


@pytest.mark.parametrize(("name", "gmacs"), [("hiri_s", 5.01), ("hrnet_w18", 4.3)])
def test_a_network_at_its_budget_stays_as_it_is(name: str, gmacs: float) -> None:
    fitted = fit(name, gmacs=gmacs)
    assert fitted.spec == hiri_spec.load(name)
    assert fitted.notes == {}
    assert fitted.text == hiri_spec.files.find(name).read_text()


def test_every_change_is_told_and_the_text_is_the_spec() -> None:
    fitted = fit("hiri_s", gmacs=3)
    assert validate(parse(fitted.text, "a.yaml")) == fitted.spec
    assert fitted.spec.name == "hiri_s_3gmacs"
    assert fitted.text.startswith("# hiri_s fitted to 3 GMACs at 448; comments say what was changed. The description ")
    old, new = (to_data(spec) for spec in (hiri_spec.load("hiri_s"), fitted.spec))
    for place, before, after in [
        ("stem", old["stem"], new["stem"]),
        *((f"stages[{index}]", *both) for index, both in enumerate(zip(old["stages"], new["stages"], strict=True))),
    ]:
        changed = [key for key in before if before[key] != after[key] and key != "heads"]
        told = [str(note) for note in fitted.notes.get(place, ())]
        heads = {key: ", heads with it" if key == "width" and "heads" in before else "" for key in changed}
        changes = [f"fit: {key}: {before[key]} became {after[key]}{heads[key]}" for key in changed]
        assert told == sorted(changes, reverse=True)
        assert all(f"# {line}\n" in fitted.text for line in told)


def test_scaled_and_fitted_keeps_the_rules_comments() -> None:
    scaled = scale("pvt_v2_b0")
    fitted = fit(scaled, gmacs=0.4)
    assert fitted.original == scaled.original
    assert fitted.origins == scaled.origins
    assert fitted.spec.name == "pvt_v2_b0_448_0.4gmacs"
    assert fitted.text.startswith("# pvt_v2_b0 taken from 224 to 448 ")
    assert " Then fitted to 0.4 GMACs.\n" in fitted.text
    for place, notes in scaled.notes.items():
        assert fitted.notes[place][: len(notes)] == notes
        assert all(note.rule == "fit" for note in fitted.notes[place][len(notes) :])
    assert fit(fitted, gmacs=0.3).spec.name == "pvt_v2_b0_448_0.3gmacs"


@pytest.mark.parametrize("gmacs", [0, -1, nan, inf, "4", None, True], ids=str)
def test_no_budget(gmacs: Any) -> None:
    with pytest.raises(SpecError, match=r"^gmacs: rule fit: .* is no budget; give GMACs above 0, such as 4\.5$"):
        hiri_spec.fit_to_budget("hiri_s", gmacs=gmacs)


@pytest.mark.parametrize("at_least", [-0.1, 1.1, nan, "0.9"], ids=str)
def test_no_share(at_least: Any) -> None:
    with pytest.raises(SpecError, match=r"^at_least: rule fit: .* is no share; give 0 to 1, such as 0\.9$"):
        hiri_spec.fit_to_budget("hiri_s", gmacs=4, at_least=at_least)


@pytest.mark.parametrize(
    ("name", "gmacs", "at_least", "message"),
    [
        (
            "hiri_s",
            4e-9,
            0.9,
            r"^stem: rule fit: 4 MACs are too few for hiri_s: with all widths at their least and all depths 1 it costs "
            r"0\.06383 GMACs, of which 0\.03693 GMACs are here; allow more$",
        ),
        (
            "pvt_v2_b2",
            0.7,
            1,
            r"^stages\[0\]: rule fit: none of pvt_v2_b2's proportions costs 0\.7 GMACs to 0\.7 GMACs: the nearest are "
            r"0\.[67]\d* GMACs below and 0\.7\d* GMACs above; widths here move in steps of 64 channels, as "
            r"heads keep their width; allow less or more$",
        ),
        ("hrnet_w32", 15, 1, r"^stem: rule fit: none of hrnet_w32's proportions costs (?!.*heads)"),
        ("hiri_s", 1e9, 0.9, r"^gmacs: rule fit: 1e\+09 GMACs are above the limit of what can be built, 1e\+05 GMACs"),
    ],
    ids=["little", "gap", "gap-no-heads", "much"],
)
def test_a_budget_out_of_reach(name: str, gmacs: float, at_least: float, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        hiri_spec.fit_to_budget(name, gmacs=gmacs, at_least=at_least)
