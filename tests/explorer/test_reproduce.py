"""The tables of the paper's text: every reported cost met or explained, and the committed pages as a fresh run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from matplotlib import image
from typer.testing import CliRunner

import hiri_spec
from explorer.reproduce import command, measured
from explorer.reproduce.command import TABLES, app
from explorer.reproduce.measured import with_layer_norms
from explorer.reproduce.reported import REPORTED, read_reported

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
    assert [line.split(":")[0] for line in crosses] == ["✗ HIRI-B, 5 stages, 384", "✗ Swin-B, windows of 12, 384"]


def test_no_reading_of_swin_b_at_384_gives_the_reported_cost() -> None:
    """47.0 is neither what windows of 12 cost nor windows of 7; the cross stays."""
    names = ("swin_base_patch4_window12_384", "swin_base_patch4_window7_224")
    assert [round(hiri_spec.cost(name, 384).macs / 1e9, 2) for name in names] == [47.08, 50.02]


def reported_facts() -> dict[str, set[object]]:
    """What is reported of the networks whose facts the text states in passing."""
    rows = [*read_reported().figure1.rows, *read_reported().large.rows]
    return {
        "times": {(row.gflops, row.latency_ms) for row in rows if row.latency_ms},
        "large": {(row.resolution, row.top1) for row in rows if row.spec.startswith("hiri_l") and row.top1},
        "points": {(point.gflops, point.top1) for point in read_reported().figure6.points},
    }


@pytest.mark.parametrize(
    ("what", "facts"),
    [
        ("times", {(15.4, 1.17), (47.0, 3.95), (8.2, 0.84), (9.3, 1.04)}),
        ("large", {(448, 85.7), (224, 85.3)}),
        ("points", {(47.0, 84.5), (5.1, 84.0), (5.0, 84.1), (6.9, 83.2)}),
    ],
)
def test_reported_facts_are_held(what: str, facts: set[object]) -> None:
    assert facts <= reported_facts()[what]


@pytest.mark.parametrize("name", TABLES)
def test_committed_pages_are_a_fresh_run(name: str, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, [name, "--out", str(tmp_path)]).exit_code == 0
    for path in [*tmp_path.glob("*.md"), *tmp_path.glob("*.svg")]:
        assert path.read_text() == (COMMITTED / path.name).read_text()
    for path in tmp_path.glob("*.png"):
        assert (image.imread(path) == image.imread(COMMITTED / path.name)).all()
    assert {path.name for path in tmp_path.iterdir()} <= {path.name for path in COMMITTED.iterdir()}


@pytest.mark.parametrize(("name", "page"), [("figure1", "figure1_latency.md"), ("norms", "norms.md")])
def test_committed_times_are_written_by_the_command(
    name: str, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a timed page but the times themselves and the machine: the ratios follow from the times."""
    committed = (COMMITTED / page).read_text()
    times = [float(time) for time in re.findall(r"^\| [^|]+ \| ([0-9.]+) \|", committed, re.MULTILINE)]
    machine = re.search(r"Measured by us on (.+): batch 1", committed)
    assert machine is not None
    monkeypatch.setattr(measured, "measure_latencies_ms", lambda specs, runs: times)
    monkeypatch.setattr(measured, "describe_machine", lambda: machine[1])
    assert CliRunner().invoke(app, [name, "--latency", "--out", str(tmp_path)]).exit_code == 0
    assert (tmp_path / page).read_text() == committed


def tamper(monkeypatch: pytest.MonkeyPatch, folder: Path, old: str, new: str) -> None:
    """Let the command read a copy of the data file with one change."""
    text = REPORTED.read_text()
    assert text.count(old) == 1
    path = folder / "reported.yaml"
    path.write_text(text.replace(old, new))
    monkeypatch.setattr(command, "read_reported", lambda: read_reported(path))


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        (
            "table8",
            'below: "3", gflops: 5.0',
            'below: "3", gflops: 4.9',
            "row 4: 5.009 GMACs, reported 4.9, and no dev",
        ),
        ("table8", 'above: "2"', 'below: "2"', "row 3: 5.844 GMACs, reported as less than row 2"),
        ("table7", 'params_below: "2"', 'params_below: "1"', ""),
        ("table7", 'above: "4"', 'params_below: "4"', "row 5: 34.56 M, reported as fewer params than row 4"),
        ("large", "more_gflops_than: 11.7", "more_gflops_than: 18.8", "18.717 GMACs, reported as more than 18.8"),
        ("large", "less_gflops_than: 43.9", "less_gflops_than: 18.7", "18.717 GMACs, reported as less than 18.7"),
        ("figure1", "ours: 6.745", "ours: 6.7", "6.745 GMACs, where the deviation in reported.yaml declares 6.700"),
        (
            "figure1",
            "gflops: 47.0\n      top1: 84.5\n      latency_ms",
            "gflops: 47.1\n      top1: 84.5\n      latency_ms",
            "47.083 GMACs meet the reported 47.1; remove",
        ),
        ("table9", "most: 1.2", "most: 1.1", "davit_tiny: 1.163 times the cost at 224, more than 1.1"),
    ],
    ids=[
        "cost",
        "order",
        "params met",
        "params",
        "above",
        "below",
        "drift",
        "stale",
        "scaled",
    ],
)
def test_what_is_not_met_as_declared_is_an_error(
    table: str, old: str, new: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tamper(monkeypatch, tmp_path, old, new)
    told = CliRunner().invoke(app, [table, "--json"])
    failures = json.loads(told.stdout)["failures"]
    assert told.exit_code == bool(message)
    assert len(failures) == bool(message)
    assert message in "".join(failures)
    assert message in told.stderr


def test_a_deviation_does_not_cover_another_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tamper(monkeypatch, tmp_path, "latency_ms: 3.95", 'below: "Swin-B, windows of 7, 224"')
    told = CliRunner().invoke(app, ["figure1"])
    assert told.exit_code == 1
    assert "47.083 GMACs, reported as less than row Swin-B, windows of 7, 224" in told.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "gflops: 4.7, top1: 83.6}",
            "gflop: 4.7}",
            r"reported.yaml:\d+ table7.rows\[5\].gflop: no such field; did you",
        ),
        ("most: 1.2", "mots: 1.2", "table9: most is missing"),
        ("faster_percent", "faster", r"norms.faster: no such field; did you mean 'faster_percent'"),
        ("ours: 47.083", "hours: 47.083", "deviation.hours: no such field; did you mean 'ours'"),
        ("table8:", "table88:", "table88: no such field; did you mean 'table8'"),
        ("gflops: 21.5", 'gflops: "21.5"', r"table7.rows\[6\].gflops: '21.5': input should be a valid number"),
        ("gflops: 21.5", "gflops: -21.5", r"table7.rows\[6\].gflops: -21.5: input should be greater than 0"),
        ("gflops: 21.5", "deviation: {ours: 1.0, reason: so}", "a deviation without a reported cost; add `gflops: …`"),
        ("gflops: 21.5", 'gflops: 21.5, deviation: ""', "deviation: '': input should be a valid dictionary"),
        (
            "gflops: 21.5",
            'gflops: 21.5, deviation: {ours: 1, reason: " "}',
            "deviation.reason: ' ': string should have",
        ),
        ('below: "7"', 'below: "9"', "row '8' is below '9', which is no row before it"),
        ('below: "7"', 'above: "70"', "row '8' is above '70', which is no row before it"),
        (
            '{label: "9", spec: table7',
            '{label: "8", spec: table7',
            "two rows are labelled '8'; give each its own label",
        ),
        (
            ', "HIRI-B, 5 stages, 384"]',
            ', "HIRI-B, 5 stages, 768"]',
            "goes through 'HIRI-B, 5 stages, 768', of which no",
        ),
    ],
    ids=[
        "typo",
        "typo of a needed field",
        "typo elsewhere",
        "typo in a deviation",
        "typo of a table",
        "text",
        "negative",
        "deviation from nothing",
        "empty deviation",
        "empty reason",
        "later row",
        "unknown row",
        "label twice",
        "line",
    ],
)
def test_slips_in_the_data_file(
    old: str, new: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tamper(monkeypatch, tmp_path, old, new)
    with pytest.raises(hiri_spec.SpecError, match=message):
        CliRunner().invoke(app, ["all"], catch_exceptions=False)


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
    assert [row["network"] for row in rows] == ["hiri_s at 448, as it is", "layer norms everywhere"]
    assert all(float(row["ms an image"]) > 0 for row in rows)


def test_times_as_ratios_beside_the_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [10.0 * 2**index for index in range(len(read_reported().figure1.rows))]
    monkeypatch.setattr(measured, "measure_latencies_ms", lambda specs, runs: times)
    table = measured.time_figure1(read_reported().figure1)
    ratios = {row[0]: row[3:] for row in table.rows}
    assert ratios["HIRI-B, 5 stages, 384"] == ("32.00 x", "1.04", "1.24 x")
    assert ratios["Swin-B, windows of 12, 384"] == ("16.00 x", "3.95", "3.38 x")
    assert ratios["Swin-B, windows of 7, 448"] == ("4.00 x", "", "")
