"""`hiri-spec bench` as users type it."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from told import Command

from hiri_spec.nn.bench.peak import Kernel

TINY = """
name: tiny
resolution: 64
stem: {stem: hr, width: 8}
stages:
  - {block: hr, depth: 1, width: 8}
head: {classes: 10}
"""


@pytest.fixture
def bench(hiri_spec_command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run `hiri-spec bench` in a folder with a small spec, and products of microseconds for the peak."""
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    matrix = torch.ones(8, 8)
    kernels = [Kernel("torch.mm 8x8", 512, lambda: matrix @ matrix)]
    monkeypatch.setattr("hiri_spec.nn.bench.run.make_kernels", lambda device, dtype: kernels)
    return partial(hiri_spec_command, "bench")


def test_help(bench: Command) -> None:
    told = bench("--help")
    assert told.status == 0
    assert "Example: hiri-spec bench hiri_s@448" in " ".join(told.out.split())


def test_tables(bench: Command) -> None:
    modes = "eager,fused+channels_last"
    told = bench("tiny.yaml", "resnet10t@64", "--modes", modes, "--rounds", "2", "--batch", "2", "--threads", "1")
    assert told.status == 0
    settings, _, header, *rest = told.out.splitlines()
    assert settings.endswith("1 thread, float32, torch " + torch.__version__ + ", 2 rounds in turn")
    assert header.split("  ")[0] == "network"
    text = "\n".join(rest)
    assert "tiny@64" in text
    assert "resnet10t@64" in text
    assert "\nlatency, batch 1 " in text
    assert "\nthroughput, batch 2 " in text
    fused = [line.split()[1] for line in rest if line.startswith("  fused+channels_last")]
    assert fused[1::2] == ["–", "–"], "not for timm's"
    assert all(float(cell) > 0 for cell in fused[::2])
    assert "torch.mm 8x8, timed in the same rounds" in text
    assert "1 multiply-add = 1" in text
    assert "preparing 1/6: tiny@64 itself" in told.err


def test_json(bench: Command) -> None:
    told = bench("tiny.yaml", "--modes", "eager,onnx", "--rounds", "2", "--batch", "0", "--json")
    assert told.status == 0
    data = json.loads(told.out)
    (network,) = data["networks"]
    assert (network["label"], network["source"], network["resolution"]) == ("tiny@64", "spec", [64, 64])
    assert [mode["mode"] for mode in network["modes"]] == ["eager", "onnx"]
    assert network["best_mode"] in ("eager", "onnx")
    assert all(len(mode["rounds_ms"]["1"]) == 2 for mode in network["modes"])
    assert network["modes"][1]["relative_difference"] < 1e-4
    assert data["settings"]["batch"] == 0
    assert data["peak_kernel"] == "torch.mm 8x8"


def test_which_one_is_built_is_noted(bench: Command) -> None:
    told = bench("pvt_v2_b0@32", "--modes", "eager", "--rounds", "1", "--batch", "0")
    assert told.status == 0
    assert "note: pvt_v2_b0 is a spec and a timm model; the spec is built (timm:pvt_v2_b0 is timm's)" in told.err


def test_a_mode_that_computes_something_else(bench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = lambda model: torch.nn.Sequential(copy.deepcopy(model), torch.nn.ReLU())  # noqa: E731
    monkeypatch.setattr("hiri_spec.nn.bench.modes.fuse", wrong)
    told = bench("tiny.yaml", "--modes", "eager,fused", "--rounds", "1", "--batch", "0")
    assert told.status == 1
    assert "failed" in told.out
    assert "error: tiny@64 fused: its output differs from the plain model's by" in told.err


def test_ctrl_c_shows_the_rounds_so_far(bench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: object, rounds: int, seconds_left: float) -> None:
        if rounds == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("hiri_spec.commands.bench.Screen.timed", interrupt)
    told = bench("tiny.yaml", "--modes", "eager", "--rounds", "9", "--batch", "0")
    assert told.status == 130
    assert "2 rounds in turn" in told.out
    assert "stopped after 2 rounds" in told.err


def test_profile(bench: Command) -> None:
    told = bench("tiny.yaml", "--profile", "--top", "3")
    assert told.status == 0
    title, header, _, *rows = [line.rstrip() for line in told.out.splitlines() if line.strip()]
    assert title == "tiny@64 eager, batch 1"
    assert header.split() == ["operator", "calls", "ms", "share"]
    assert len(rows) == 5
    assert rows[3].startswith("others")
    assert rows[4].startswith("all")


def test_profiles_as_json(bench: Command) -> None:
    told = bench("tiny.yaml", "--profile", "--modes", "eager,fused", "--batch", "2", "--json")
    profiles = json.loads(told.out)
    assert [(each["mode"], each["batch"]) for each in profiles] == [("eager", 2), ("fused", 2)]
    assert all(row["self_ms"] > 0 for each in profiles for row in each["rows"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument"),
        (["hirri_s"], "'hirri_s' is no file, no built-in spec and no timm model; did you mean 'hiri_s'"),
        (["tiny.yaml", "--device", "gpu"], "--device: 'gpu' is none of cpu, cuda; did you mean"),
        (["tiny.yaml", "--dtype", "float16"], "--dtype: 'float16' is none of float32, bfloat16"),
        (["tiny.yaml", "--modes", "fuesd"], "--modes: 'fuesd' is no mode; did you mean 'fused'"),
        (["tiny.yaml", "--modes", ","], "--modes: names no mode"),
        (["tiny.yaml", "--modes", "graph"], "--modes: graph means CUDA graphs"),
        (["tiny.yaml", "--dtype", "bfloat16", "--modes", "onnx"], "--modes: onnx is measured on the CPU in float32"),
        (["tiny.yaml", "-r", "224,448"], "--resolution: one size for all networks"),
        (["tiny.yaml", "-r", "16"], "--resolution: 16 is too small"),
        (["tiny.yaml@16"], "tiny.yaml@16: 16 is too small"),
        (["tiny.yaml", "--rounds", "0"], "Invalid value for '--rounds'"),
        (["tiny.yaml", "--seconds", "-1"], "Invalid value for '--seconds'"),
        (["tiny.yaml", "--batch", "-1"], "Invalid value for '--batch'"),
        (["tiny.yaml", "--threads", "0"], "Invalid value for '--threads'"),
        (["tiny.yaml", "hiri_s", "--profile"], "--profile: one network at a time, not 2"),
        (["tiny.yaml", "--profile", "--modes", "onnx"], "torch's profiler doesn't see inside onnx"),
    ],
    ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else "",
)
def test_mistakes(bench: Command, arguments: list[str], message: str) -> None:
    told = bench(*arguments)
    assert told.status == 2
    assert message in told.err
    assert told.out == ""


def test_cuda_that_is_not_there(bench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    told = bench("tiny.yaml", "--device", "cuda")
    assert told.status == 2
    assert told.err.startswith("error: --device: torch")
    assert "use --device cpu" in told.err


def test_help_and_mistakes_load_no_torch(tmp_path: Path) -> None:
    code = "import sys\nfrom hiri_spec.cli import app\ntry: app(sys.argv[1:])\nexcept BaseException: pass\n"
    code += "print('LOADED', 'torch' in sys.modules)"
    root = Path(__file__).resolve().parent.parent.parent
    for arguments in (["--help"], ["hiri_s", "--device", "gpu"], ["hiri_s", "--modes", ","]):
        result = subprocess.run(
            [sys.executable, "-c", code, "bench", *arguments], capture_output=True, text=True, check=True, cwd=root
        )
        assert result.stdout.splitlines()[-1] == "LOADED False"
