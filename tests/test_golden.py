"""Costs of the built-in specs against the calibrated table (docs/models.md) and what the paper's text reports."""

import json

import pytest
from typer.testing import CliRunner

import hiri_spec
from hiri_spec.cli import app

CALIBRATED = [
    # name, resolution, GMACs, printed decimals
    ("hiri_s", 224, 1.288, 3),
    ("hiri_s", 384, 3.635, 3),
    ("hiri_s", 448, 5.009, 3),
    ("hiri_s", 768, 16.05, 2),
    ("hiri_s_4stage", 224, 4.667, 3),
    ("hiri_s_4stage", 448, 21.470, 3),
    ("hiri_b", 224, 2.325, 3),
    ("hiri_b", 384, 6.745, 3),
    ("hiri_b", 448, 9.288, 3),
    ("hiri_b", 768, 29.61, 2),
    ("hiri_b_4stage", 224, 8.201, 3),
    ("hiri_l", 224, 4.727, 3),
    ("hiri_l", 384, 13.64, 2),
    ("hiri_l", 448, 18.72, 2),
    ("hiri_l", 768, 58.24, 2),
    ("hiri_l_4stage", 224, 16.46, 2),
    ("hiri_s_6stage", 448, 1.374, 3),
    ("hiri_s_6stage", 896, 5.355, 3),
]
PARAMS = [("hiri_s", 34.39), ("hiri_b", 45.06), ("hiri_l", 88.89), ("hiri_s_6stage", 34.39)]
REPORTED = [
    # what the paper's text prints, in GFLOPs as papers count them
    ("hiri_s_4stage", 224, 4.7),  # Table VII row 6
    ("hiri_s_4stage", 448, 21.5),  # row 7
    ("hiri_s", 448, 5.0),  # row 11
    ("hiri_b_4stage", 224, 8.2),  # Figure 1
    ("hiri_b", 448, 9.3),  # Figure 1; at 384, as printed there, it can't hold together with the rest
]


@pytest.mark.parametrize(("name", "resolution", "gmacs", "decimals"), CALIBRATED, ids=lambda value: str(value))
def test_macs_as_calibrated(name: str, resolution: int, gmacs: float, decimals: int) -> None:
    assert round(hiri_spec.cost(name, resolution).macs / 1e9, decimals) == gmacs


@pytest.mark.parametrize(("name", "millions"), PARAMS, ids=lambda value: str(value))
def test_params_as_calibrated(name: str, millions: float) -> None:
    assert round(hiri_spec.cost(name).params / 1e6, 2) == millions


@pytest.mark.parametrize(("name", "resolution", "gflops"), REPORTED, ids=lambda value: str(value))
def test_macs_round_to_what_the_text_reports(name: str, resolution: int, gflops: float) -> None:
    assert round(hiri_spec.cost(name, resolution).macs / 1e9, 1) == gflops


@pytest.mark.parametrize(
    ("name", "resolution", "gmacs"),
    [row[:3] for row in CALIBRATED if row[3] == 3],
    ids=lambda value: str(value),
)
def test_command_prints_the_same(name: str, resolution: int, gmacs: float) -> None:
    result = CliRunner().invoke(app, ["cost", name, "--resolution", str(resolution), "--json"])
    assert json.loads(result.stdout)["results"][0]["gmacs"] == gmacs
