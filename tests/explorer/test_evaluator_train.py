"""The evaluator that trains: what it is made with, what it gives, and how it goes through a search."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from searches import run, told

import hiri_spec
from explorer.evaluators import choose, load_evaluator
from explorer.plots import pareto_figure
from hiri_spec import SpecError

SPEC: dict[str, Any] = {
    "name": "small",
    "resolution": 32,
    "stem": {"stem": "conv", "width": 8},
    "stages": [
        {"block": "cffn", "depth": 1, "width": 8},
        {"block": "cffn", "depth": 1, "width": 16, "downsample": "irds_a"},
    ],
    "head": {"classes": 10},
}
DATA = "finegrain:classes=4,train=64,validation=40"


def test_it_gives_an_accuracy_of_spec_and_seed() -> None:
    spec = hiri_spec.ModelSpec.model_validate(SPEC)
    evaluator = load_evaluator("train", {"data": DATA, "epochs": 1})
    first = evaluator(spec, 1)
    assert 0 <= first <= 100
    assert (first * 40 / 100) == pytest.approx(round(first * 40 / 100), abs=1e-4)
    assert evaluator(spec, 1) == first


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("train", {}, "--data: train needs it; give --data"),
        ("train", {"data": "digts"}, "digts"),
        ("train", {"data": "digits", "recipe": "nosuch"}, "nosuch"),
        ("train", {"data": "digits", "epochs": 0}, "epochs: 0"),
        ("zico", {"data": "digits"}, "--data: zico takes none; leave it out"),
        ("params", {"epochs": 3}, "--epochs: params takes none; leave it out"),
    ],
    ids=str,
)
def test_what_it_is_made_with(name: str, settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=re.escape(told)):
        choose(name, settings)


def test_settings_that_are_not_given() -> None:
    assert choose("params", {"data": None, "epochs": None}).settings == {}


@pytest.mark.slow
def test_a_search_by_training(space_file: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"evaluator": "train", "data": DATA, "epochs": 2, "resolution": 32}
    found = run(space_file, tmp_path / "run", trials=3, budget="1mmacs", **options)
    assert [member.number for member in found.members] == [0, 1, 2]
    assert all(0 <= member.score <= 100 for member in found.members)
    assert (found.settings["data"], found.settings["epochs"]) == (DATA, 2)
    text = (tmp_path / "run" / "best.yaml").read_text()
    assert "needs no training" not in text
    assert f"data {DATA}, epochs 2" in text
    (axes,) = pareto_figure(found).axes
    assert axes.get_ylabel() == "top-1 %"
    assert told(run(space_file, tmp_path / "run", trials=3, budget="1mmacs", **options)) == told(found)
    with pytest.raises(SpecError, match=r"holds another search: epochs was 2, is 3"):
        run(space_file, tmp_path / "run", budget="1mmacs", **options | {"epochs": 3})
