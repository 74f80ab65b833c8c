"""The tables of the paper's text: every reported cost met or explained, and the committed pages as a fresh run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hiri_spec
from explorer.reproduce import command, counted
from explorer.reproduce.command import TABLES, app
from explorer.reproduce.measured import with_layer_norms

ROOT = Path(__file__).resolve().parent.parent.parent
COMMITTED = ROOT / "docs" / "reproduced"

LADDER = [4.328, 4.364, 4.175, 4.175, 4.446, 4.667, 21.470, 5.787, 5.120, 5.009, 5.009]
"""GMACs of Table VII's rows with the calibrated depths and widths."""
TABLE_VIII = [3.125, 4.799, 5.844, 5.009]


@pytest.mark.parametrize(("row", "gmacs"), list(enumerate(LADDER, start=1)))
def test_table_vii(row: int, gmacs: float) -> None:
    assert round(hiri_spec.cost(f"table7_row{row:02}").macs / 1e9, 3) == gmacs


@pytest.mark.parametrize(("row", "gmacs"), list(enumerate(TABLE_VIII, start=1)))
def test_table_viii(row: int, gmacs: float) -> None:
    assert round(hiri_spec.cost(f"table8_row{row:02}").macs / 1e9, 3) == gmacs


def test_all_with_every_miss_explained() -> None:
    told = CliRunner().invoke(app, ["all"])
    assert told.exit_code == 0
    crosses = [line for line in told.stdout.splitlines() if line.startswith("✗")]
    assert [line.split(":")[0] for line in crosses] == ["✗ HIRI-B, 5 stages, 384", "✗ Swin-B, 384"]


@pytest.mark.parametrize("name", TABLES)
def test_committed_pages_are_a_fresh_run(name: str, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, [name, "--out", str(tmp_path)]).exit_code == 0
    for path in [*tmp_path.glob("*.md"), *tmp_path.glob("*.svg")]:
        assert path.read_text() == (COMMITTED / path.name).read_text()
    assert {path.name for path in tmp_path.iterdir()} <= {path.name for path in COMMITTED.iterdir()}


def test_a_miss_without_a_reason_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = counted.read_reported()
    reported["table8"]["rows"][3]["gflops"] = 4.9
    monkeypatch.setattr(command, "read_reported", lambda: reported)
    told = CliRunner().invoke(app, ["table8", "--json"])
    assert told.exit_code == 1
    assert "1 reported figures are missed without a declared reason" in told.stderr
    assert json.loads(told.stdout)["missed"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table17"], "unknown table 'table17'; did you mean 'table7'"),
        (["norms"], "norms is a matter of time; add --latency"),
        (["table7", "--out", "/proc/no"], "/proc/no cannot be made: .*; choose another folder"),
    ],
    ids=["typo", "norms", "out"],
)
def test_mistakes(arguments: list[str], message: str) -> None:
    with pytest.raises(hiri_spec.SpecError, match=message):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_layer_norms_everywhere() -> None:
    spec = with_layer_norms(hiri_spec.load("hiri_s"))
    labels = {node.op.label for node in hiri_spec.graph(spec)}
    assert "layer norm" in labels
    assert "batch norm" not in labels
    assert hiri_spec.cost(spec).macs == hiri_spec.cost("hiri_s").macs


@pytest.mark.slow
def test_norms_are_timed() -> None:
    told = CliRunner().invoke(app, ["norms", "--latency", "--json"])
    rows = json.loads(told.stdout)["rows"]
    assert [row["network"] for row in rows] == ["hiri_s, as it is", "layer norms everywhere"]
    assert all(float(row["ms an image"]) > 0 for row in rows)
