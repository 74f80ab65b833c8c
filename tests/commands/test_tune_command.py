"""`hiri-spec tune` as users type it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from told import Command

from hiri_spec.nn.timing import Limits
from hiri_spec.nn.tuning import model

TINY = """\
name: tiny
resolution: 32
stem: vit
stages:
  - {block: cffn, depth: 2, width: 8}
head: {classes: 4}
"""


@pytest.fixture
def tune(hiri_spec_command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run `hiri-spec tune` in a folder with a small spec."""
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(model, "LIMITS", Limits(rounds=1))
    monkeypatch.setattr(model, "TURN_SECONDS", 0.0)
    return partial(hiri_spec_command, "tune")


def test_a_line_a_place_one_way_of_each_is_marked(tune: Command) -> None:
    told = tune("tiny.yaml")
    assert told.status == 0
    lines = [line for line in told.out.splitlines() if line.startswith(("stem", "stages"))]
    assert [line.split()[:2] for line in lines] == [["stem", "1"], ["stages.0.blocks", "2"]]
    assert all(line.count("*") == 1 for line in lines)
    assert "Milliseconds of one block at 32, batch 1, cpu; * is chosen." in told.out
    assert told.err.splitlines() == ["timing stem …", "timing stages.0.blocks …"]


def test_json(tune: Command) -> None:
    told = tune("tiny.yaml", "--resolution", "48x64", "--batch", "2", "--set", "stages.0.depth=3", "--json")
    data = json.loads(told.out)
    assert (data["name"], data["resolution"], data["batch"], data["device"]) == ("tiny", [48, 64], 2, "cpu")
    assert [place["depth"] for place in data["places"]] == [1, 3]
    assert all(place["chosen"] in place["times_ms"] for place in data["places"])


def test_threads_are_given_back(tune: Command) -> None:
    before = torch.get_num_threads()
    assert tune("tiny.yaml", "--threads", str(before + 1)).status == 0
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tiny.yml"], "tiny.yml: no such file; did you mean 'tiny.yaml'"),
        (["tiny.yaml", "--device", "gpu"], "--device: 'gpu' is none of cpu, cuda"),
        (["tiny.yaml", "--device", "cuda"], "--device: torch .*use --device cpu"),
        (["tiny.yaml", "--resolution", "32,64"], "--resolution: a network is tuned for one size; give one"),
        (["tiny.yaml", "--resolution", "8"], "8x8|8 "),
    ],
    ids=["file", "device", "cuda", "sizes", "small"],
)
def test_mistakes(tune: Command, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import re

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    told = tune(*arguments)
    assert told.status == 2
    assert re.search(message, told.err)
    assert "Traceback" not in told.err
    assert not told.out
