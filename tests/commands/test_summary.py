"""`hiri-spec summary`: of specs and of checkpoints, whose tensors are checked; no torch is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import SMALL, edit_header
from contract import count_params
from safetensors.torch import load_file, save_file
from told import Command

import hiri_spec
from hiri_spec.quantities import format_bytes

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(hiri_spec_command: Command) -> Command:
    """Run `hiri-spec summary` with arguments."""
    return partial(hiri_spec_command, "summary")


class TestSpec:
    """Specs by name and by file."""

    def test_help_has_an_example(self, run: Command) -> None:
        told = run("--help")
        assert told.status == 0
        assert "Example: hiri-spec summary" in told.out

    def test_a_file(self, run: Command, tmp_path: Path) -> None:
        hiri_spec.save(SMALL, tmp_path / "a.yaml")
        assert run(str(tmp_path / "a.yaml"), "--set", "name=mine").out.startswith("mine: ")

    def test_table(self, run: Command) -> None:
        told = run("hiri_s", "--resolution", "224", "--depth", "2")
        lines = [line.split() for line in told.out.splitlines()]
        assert told.status == 0
        assert lines[0] == ["hiri_s:", "34.39", "M", "params,", "1.288", "GMACs", "at", "224"]
        memory = format_bytes(hiri_spec.cost("hiri_s", 224).by_stage()[4].memory_bytes)
        assert f"stages.3 irds_b + transformer x9 11,488,960 320x7x7 583.9 45.4 {memory}".split() in lines
        assert not any(line and line[0] == "stages.3.blocks" for line in lines)

    def test_json(self, run: Command) -> None:
        data = json.loads(run("hiri_s", "--json", "--resolution", "512x1024").out)
        cost = hiri_spec.cost("hiri_s", (512, 1024))
        assert (data["params"], data["macs"], data["resolution"]) == (cost.params, cost.macs, [512, 1024])
        assert data["weights"] is None
        assert {"name", "kind", "output", "params", "macs", "memory_bytes"} == set(data["modules"][0])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([""], "'' is no file and no built-in spec"),
            (["hiri_z"], "'hiri_z' is no file and no built-in spec; did you mean"),
            (["hiri_s", "--resolution", "224,448"], "--resolution: a summary shows one size; give one"),
            (["hiri_s", "--resolution", "16"], "--resolution: 16 is too small"),
            (["hiri_s", "--depth", "0"], "--depth"),
            (["nowhere.safetensors"], "nowhere.safetensors: no such file or folder"),
            (["weights.pth"], "weights.pth: is a torch file, with no spec inside"),
        ],
        ids=["empty", "name", "sizes", "size", "depth", "file", "torch"],
    )
    def test_mistakes(self, run: Command, arguments: list[str], message: str) -> None:
        told = run(*arguments)
        assert (told.status, told.out) == (2, "")
        assert message in told.err

    def test_a_network_too_deep_to_list(self, run: Command) -> None:
        told = run("hiri_s", "--set", "stages.3.depth=1000000", "--depth", "4")
        assert (told.status, told.out) == (2, "")
        assert "--depth: more than 100,000 modules; list fewer" in told.err
        assert "1,245," in run("hiri_s", "--set", "stages.3.depth=1000000", "--depth", "1").out


class TestCheckpoint:
    """Checkpoints, whose tensors are held against the spec inside."""

    @pytest.mark.parametrize("name", ["", "model.safetensors"], ids=["folder", "file"])
    def test_it_tells_of_its_tensors(self, run: Command, saved: Path, name: str) -> None:
        told = run(str(saved / name))
        assert told.status == 0
        tensors = load_file(saved / "model.safetensors")
        assert f"model.safetensors: {len(tensors)} tensors ({len(tensors) - 14} of float32, 14 of int64)" in told.out
        data = json.loads(run(str(saved / name), "--json").out)
        assert data["weights"]["bytes"] == sum(each.numel() * each.element_size() for each in tensors.values())

    @pytest.mark.parametrize(
        ("options", "title"),
        [
            ({"features_only": True, "out_indices": (0, 1)}, "small (features only)"),
            ({"classes": 0}, "small (no classifier)"),
        ],
        ids=["features", "no-classes"],
    )
    def test_only_what_the_model_has(self, run: Command, tmp_path: Path, options: dict[str, Any], title: str) -> None:
        model = hiri_spec.build(SMALL, **options)
        model.save_pretrained(tmp_path)
        assert run(str(tmp_path)).out.startswith(title)
        data = json.loads(run(str(tmp_path), "--json", "--depth", "9").out)
        names = {path for path, _ in model.named_modules()} - {"", "head.fc"}
        assert {row["name"] for row in data["modules"]} == names
        assert data["params"] == count_params(model)

    def test_no_torch_and_no_numpy_is_loaded(self, saved: Path) -> None:
        code = (
            "import sys; from hiri_spec.cli import app; "
            f"app(['summary', {str(saved)!r}], standalone_mode=False); "
            "print(sorted({'torch', 'numpy', 'timm', 'safetensors'} & set(sys.modules)))"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
        assert result.stdout.splitlines()[-1] == "[]"

    def test_tensors_that_are_not_the_specs(self, run: Command, saved: Path) -> None:
        file = saved / "model.safetensors"
        tensors = load_file(file)
        tensors["head.fc.weight"] = tensors["head.fc.weight"][:3]
        tensors["stem.norm.bias"] = tensors["stem.norm.bias"].long()
        tensors["more"] = tensors.pop("stem.conv.weight")
        metadata = json.loads(file.read_bytes()[8 : 8 + int.from_bytes(file.read_bytes()[:8], "little")])[
            "__metadata__"
        ]
        save_file(tensors, file, metadata=metadata)
        told = run(str(saved))
        assert (told.status, told.out) == (2, "")
        assert told.err.splitlines()[:-1] == [
            "error: stem.conv.weight: missing from the file: (8, 3, 3, 3) here",
            "error: stem.norm.bias: of another type: of floats here, of whole numbers there",
            "error: head.fc.weight: of another shape: (10, 32) here, (3, 32) there",
            "error: more: not in the model: (8, 3, 3, 3) there",
        ]
        assert "these tensors are not those of the spec inside, small" in told.err

    def test_its_spec_stays_as_it_is(self, run: Command, saved: Path) -> None:
        told = run(str(saved), "--set", "head.classes=3")
        assert (told.status, told.out) == (2, "")
        assert "--set: the spec inside a checkpoint can't be changed" in told.err

    def test_a_file_with_no_spec_inside(self, run: Command, tmp_path: Path) -> None:
        save_file({"a": torch.zeros(2)}, tmp_path / "model.safetensors")
        told = run(str(tmp_path))
        assert told.status == 2
        assert (
            "model.safetensors: no spec is inside; build its model and load it with hiri_spec.load_weights" in told.err
        )

    def test_a_spec_inside_that_is_wrong(self, run: Command, saved: Path) -> None:
        edit_header(
            saved / "model.safetensors",
            lambda header: header["__metadata__"].update({"hiri_spec.spec": "name: a\nstem: vit\nstages: []\n"}),
        )
        told = run(str(saved))
        assert told.status == 2
        assert "model.safetensors:3 stages: this list is empty; give it at least one item" in told.err
