"""`hiri-spec export` as users type it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from told import Command
from torch import nn

from hiri_spec.nn import exporting

TINY = """\
name: tiny
resolution: 32
stem: vit
stages:
  - {block: cffn, depth: 1, width: 8}
head: {classes: 4}
"""


@pytest.fixture
def export(hiri_spec_command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run `hiri-spec export` in a folder with a small spec."""
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    return partial(hiri_spec_command, "export")


def test_tells_what_was_written_and_how_far_off_it_is(export: Command) -> None:
    told = export("tiny.yaml", "-o", "tiny.onnx")
    assert told.status == 0
    assert "tiny.onnx: onnx, opset 20, " in told.out
    assert "image batchx3xheightxwidth, scores batchx4" in told.out
    assert "worst difference from the model on 5 batches of photographs: " in told.out
    assert told.err.splitlines()[0] == "building tiny …"
    assert Path("tiny.onnx").is_file()


def test_json(export: Command) -> None:
    told = export("tiny.yaml", "-o", "tiny.pt2", "--dynamic", "none", "--set", "head.classes=3", "--json")
    data = json.loads(told.out)
    assert data["outputs"] == {"scores": [1, 3]}
    assert data["worst"]["relative"] < 1e-5


def test_what_differs_leaves_with_one(export: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "fuse_norms", lambda model: nn.Sequential(model, nn.Softmax(1)))
    told = export("tiny.yaml", "-o", "tiny.pt2", "--fuse", "--dynamic", "none")
    assert (told.status, told.out) == (1, "")
    assert "error: its output differs from the model's by " in told.err
    assert told.err.endswith("; nothing was written\n")
    assert not Path("tiny.pt2").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tiny.yaml", "-o", "a.txt"], "error: a.txt: ends in no format's letters"),
        (
            ["tiny.yaml", "-o", "a.onnx", "-r", "64,96"],
            "error: --resolution: an export is traced at one size; give one",
        ),
        (["tiny.yaml", "-o", "a.onnx", "-r", "16"], "error: --resolution: 16 is too small"),
        (["tiny.yaml", "-o", "a.onnx", "--weights", "none.safetensors"], "none.safetensors"),
        (["tinny.yaml", "-o", "a.onnx"], "error: tinny.yaml: no such file; did you mean 'tiny.yaml'?"),
        (["tiny.yaml", "-o", "no/a.onnx"], "error: no/a.onnx: cannot be written: No such file or directory"),
    ],
    ids=["ending", "sizes", "small", "weights", "typo", "folder"],
)
def test_mistakes(export: Command, arguments: list[str], message: str) -> None:
    told = export(*arguments)
    assert (told.status, told.out) == (2, "")
    assert message in told.err
    assert [path.name for path in Path().iterdir()] == ["tiny.yaml"]


def test_the_spec_itself_is_not_overwritten(export: Command) -> None:
    told = export("tiny.yaml", "-o", "./tiny.yaml", "--format", "onnx")
    assert (told.status, told.err) == (
        2,
        "error: --out: tiny.yaml is the spec itself, and would be lost; name another file\n",
    )
    assert Path("tiny.yaml").read_text() == TINY
