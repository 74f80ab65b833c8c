"""`python -m explorer.scale`: networks as they are and scaled up, over resolutions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hiri_spec
from explorer.latency import measure_latencies_ms
from explorer.scale import app, count_points


def test_points() -> None:
    points = [point for point, _ in count_points(hiri_spec.load("hiri_s_4stage"), [(224, 224), (448, 448)])]
    assert [(point.form, point.resolution[0]) for point in points] == [
        ("as it is", 224),
        ("as it is", 448),
        ("scaled up", 448),
    ]
    assert points[2].macs == hiri_spec.cost("hiri_s").macs
    assert points[0].dearest_stage.startswith("stages.2 ")
    assert points[1].attention_share > 3 * points[0].attention_share, "attention grows with the square"


def test_on_screen_and_drawn(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["pvt_v2_b2", "--resolutions", "224,448", "--out", str(tmp_path / "new")])
    assert told.exit_code == 0
    assert "4.42 x" in told.stdout
    assert "1.09 x" in told.stdout
    assert (tmp_path / "new" / "scale.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "new" / "scale.svg").read_text()


def test_json_with_latency() -> None:
    told = CliRunner().invoke(
        app, ["pvt_v2_b0", "--resolutions", "64", "--set", "resolution=32", "--latency", "--json"]
    )
    points = json.loads(told.stdout)["points"]
    assert [point["form"] for point in points] == ["as it is", "scaled up"]
    assert all(point["latency_ms"] > 0 for point in points)


def test_latencies_come_in_order() -> None:
    small = hiri_spec.load("pvt_v2_b0")
    times = measure_latencies_ms([(small, 32), (small, (256, 320))], runs=3)
    assert 0 < times[0] < times[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pvt_v2_b9"], "did you mean 'pvt_v2_b"),
        (["pvt_v2_b0", "-r", "big"], "--resolutions: 'big' is no image size"),
        (["pvt_v2_b0", "--out", "/proc/no"], "/proc/no cannot be made"),
    ],
    ids=["name", "size", "out"],
)
def test_mistakes(arguments: list[str], message: str) -> None:
    with pytest.raises(hiri_spec.SpecError, match=message):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
