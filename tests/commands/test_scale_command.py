"""`hiri-spec scale`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hiri_spec
from hiri_spec.cli import app
from hiri_spec.document import parse
from hiri_spec.messages import validate


def test_it_writes_the_spec_and_reports(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    told = CliRunner().invoke(app, ["scale", "pvt_v2_b2", "--resolution", "448", "--out", str(path)])
    assert told.exit_code == 0
    assert "4.027 GMACs at 224; at 448 17.817 as it is, 4.376 scaled: 1.09 x in place of 4.42 x" in told.stderr
    assert "22.38 of 24.54 M parameters can be carried over" in told.stderr
    assert "stages.2  279.55 k  (downsample: strided became irds_a)" in told.stderr
    assert hiri_spec.load(path) == hiri_spec.scale_up("pvt_v2_b2")


def test_json() -> None:
    told = json.loads(CliRunner().invoke(app, ["scale", "davit_tiny", "--json"]).stdout)
    assert told["costs"]["scaled"]["macs"] < 1.2 * told["costs"]["before"]["macs"]
    assert told["notes"]["stem"] == ["stem: vit became hr"]
    new = sum(count for counts in told["new_params"].values() for count in counts.values())
    assert told["carried_params"] + new == told["costs"]["scaled"]["params"]


def test_with_a_budget() -> None:
    told = CliRunner().invoke(app, ["scale", "davit_tiny", "--budget", "4.5gmacs"])
    spec = validate(parse(told.stdout, "a.yaml"))
    macs = hiri_spec.cost(spec).macs
    assert 4.3e9 <= macs <= 4.5e9
    assert "4.522 GMACs at 224; at 448 18.085 as it is, 5.261 scaled: 1.16 x in place of 4.00 x\n" in told.stderr
    assert f"\n{macs / 1e9:.3f} fitted to 4.5gmacs: {macs / 4.522e9:.2f} x\n" in told.stderr
    assert "  # fit: width: 384 became " in told.stdout
    assert "  # downsample: norm_conv became irds_b\n" in told.stdout, "the rules' comments stay"


def test_both_costs_as_json() -> None:
    told = json.loads(CliRunner().invoke(app, ["scale", "pvt_v2_b0", "--budget", "0.4gmacs", "--json"]).stdout)
    assert told["costs"]["scaled"]["macs"] == hiri_spec.cost(hiri_spec.scale_up("pvt_v2_b0")).macs
    assert 0.36e9 <= told["costs"]["fitted"]["macs"] <= 0.4e9
    assert told["spec"] == "pvt_v2_b0_448_0.4gmacs"


def test_a_budget_that_is_met_already() -> None:
    told = CliRunner().invoke(app, ["scale", "hiri_s_4stage", "--budget", "5.01gmacs"])
    assert validate(parse(told.stdout, "a.yaml")) == hiri_spec.scale_up("hiri_s_4stage")
    assert "within 5.01gmacs as it is: nothing was fitted" in told.stderr
    assert "34.21 of 34.39 M parameters can be carried over" in told.stderr


def test_what_is_out_of_proportion_is_reported() -> None:
    arguments = ["scale", "pvt_v2_b2", "--without", "blocks", "--budget", "1.2gmacs"]
    told = CliRunner().invoke(app, arguments)
    assert re.search(r"^  stages\[\d\]: .*x (above|below) its proportion, as heads keep their 64", told.stderr, re.M)


def test_maps_of_other_sizes_are_reported() -> None:
    told = CliRunner().invoke(app, ["scale", "pvt_v2_b0", "-r", "384"])
    assert "\none stage more, so the old ones see maps of 0.86 x the sides they saw\n" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-r", "225"], "resolution: rule stage: 225 is 1.00 x the spec's own 224, too little to halve the maps"),
        (["-r", "448,896"], "--resolution: a network is scaled to one size; give one"),
        (["--without", "stemm"], "without: unknown rule 'stemm'; did you mean 'stem'"),
        (["--budget", "4"], "rule fit: 4 MACs are too few for pvt_v2_b0_448: with all widths at their least"),
        (["--budget", "nan"], "--budget: 'nan' is not an amount"),
    ],
    ids=["little", "sizes", "rule", "budget", "nan"],
)
def test_mistakes(arguments: list[str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with pytest.raises(hiri_spec.SpecError, match=re.escape(message)):
        CliRunner().invoke(app, ["scale", "pvt_v2_b0", *arguments, "-o", str(path)], catch_exceptions=False)
    assert not path.exists()
