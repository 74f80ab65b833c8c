"""`hiri-spec scale`."""

from __future__ import annotations

import json
from pathlib import Path

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
    told = CliRunner().invoke(app, ["scale", "davit_tiny", "--json"])
    costs = json.loads(told.stdout)["costs"]
    assert costs["scaled"]["macs"] < 1.2 * costs["before"]["macs"]


def test_with_a_budget() -> None:
    told = CliRunner().invoke(app, ["scale", "davit_tiny", "--budget", "4.5gmacs"])
    spec = validate(parse(told.stdout, "a.yaml"))
    assert 4.05e9 <= hiri_spec.cost(spec).macs <= 4.5e9
    assert "no weights carry over" in told.stderr
