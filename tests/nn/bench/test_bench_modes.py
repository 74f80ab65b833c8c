"""The ways to run a network: names, what goes together, what this machine lacks, and that each computes the same."""

from __future__ import annotations

import copy
import importlib.util
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from hiri_spec import SpecError
from hiri_spec.nn.bench.models import read_subject
from hiri_spec.nn.bench.modes import ON_CPU, ON_CUDA, STEPS, Mode, choose_modes, read_mode
from hiri_spec.nn.tuning import Tuning

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def module(tiny: str) -> nn.Module:
    torch.manual_seed(0)
    return read_subject(tiny).build()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("eager", "eager"),
        ("fused", "fused"),
        ("fused+channels_last", "fused+channels_last"),
        ("channels_last+fused", "fused+channels_last"),
        ("fused channels_last", "fused+channels_last"),
        ("graph + channels_last", "channels_last+graph"),
        ("eager+graph", "graph"),
        ("compiled+fused+channels_last", "fused+channels_last+compiled"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert read_mode(text).name == name


@pytest.mark.parametrize("name", dict.fromkeys((*ON_CPU, *ON_CUDA)))
def test_the_usual_modes_are_written_in_order(name: str) -> None:
    assert read_mode(name).name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fuesd", "--modes: 'fuesd' is no mode; did you mean 'fused'"),
        ("fused+onxx", "'onxx' is no mode; did you mean 'onnx'"),
        ("onnx+channels_last", "onnx and channels_last don't go together"),
        ("compiled+onnx", "onnx and compiled don't go together"),
        ("graph+onnx", "onnx and graph don't go together"),
        ("tuned+fused", "tuned and fused don't go together"),
        ("+", r"'\+' names no mode; known: eager, fused"),
    ],
    ids=["typo", "second", "layout", "compiled", "graph", "tuned", "empty"],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_mode(text)


def test_usual_modes_of_a_machine() -> None:
    modes, lacks = choose_modes(None, CPU, torch.float32)
    assert [mode.name for mode in modes] == list(ON_CPU)
    assert not lacks
    modes, lacks = choose_modes(None, CUDA, torch.bfloat16)
    assert [mode.name for mode in modes] == list(ON_CUDA)
    modes, lacks = choose_modes(None, CPU, torch.bfloat16)
    assert [mode.name for mode in modes] == list(ON_CPU[:5])
    assert "float32 only" in lacks["onnx"]


def test_modes_asked_for_twice_are_one() -> None:
    modes, _ = choose_modes(["fused+channels_last", "eager", "channels_last fused"], CPU, torch.float32)
    assert [mode.name for mode in modes] == ["fused+channels_last", "eager"]


def test_without_onnx_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else find(name))
    modes, lacks = choose_modes(None, CPU, torch.float32)
    assert [mode.name for mode in modes] == list(ON_CPU[:5])
    assert lacks == {"onnx": "onnx needs onnxscript: pip install 'hiri-spec[export]'"}
    with pytest.raises(SpecError, match=r"--modes: onnx needs onnxscript: pip install 'hiri-spec\[export\]'"):
        choose_modes(["eager", "onnx"], CPU, torch.float32)


def test_graphs_need_cuda() -> None:
    with pytest.raises(SpecError, match="graph means CUDA graphs: it needs --device cuda"):
        choose_modes(["graph"], CPU, torch.float32)


def test_fused_is_for_specs(tiny: str) -> None:
    assert read_mode("fused+channels_last").is_for(read_subject(tiny))
    assert not read_mode("fused+channels_last").is_for(read_subject("resnet10t@64"))
    assert read_mode("channels_last").is_for(read_subject("resnet10t@64"))


@pytest.mark.parametrize("name", ["eager", "channels_last", "fused", "fused+channels_last", "tuned", "onnx"])
@pytest.mark.parametrize("size", [1, 3])
def test_a_mode_computes_what_the_module_does(
    module: nn.Module, use_fuse: Callable[[Any], None], name: str, size: int
) -> None:
    use_fuse(copy.deepcopy)
    images = torch.randn(size, 3, 64, 64)
    with torch.no_grad():
        expected = module(images)
    mode = read_mode(name)
    call = mode.bind(mode.convert(module), images)
    for _ in range(2):
        torch.testing.assert_close(torch.as_tensor(call()), expected, rtol=1e-3, atol=1e-5)


def test_tuned_for_the_size_and_the_number_of_images(module: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, object]] = []

    def tune(model: nn.Module, *, resolution: object, batch: object) -> Tuning:
        asked.append((resolution, batch))
        return Tuning(model, ())

    monkeypatch.setattr("hiri_spec.nn.bench.modes.tune", tune)
    mode = read_mode("tuned")
    converted = mode.convert(module)
    for size in (1, 3):
        assert mode.bind(converted, torch.randn(size, 3, 64, 96))().shape == (size, 10)
    assert asked == [((64, 96), 1), ((64, 96), 3)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch.compile's own modules warn about one another
def test_compiled(module: nn.Module) -> None:
    mode = read_mode("channels_last+compiled")
    converted = mode.convert(module)
    for size in (1, 2):
        images = torch.randn(size, 3, 64, 64)
        with torch.no_grad():
            expected = module(images)
        torch.testing.assert_close(mode.bind(converted, images)(), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.filterwarnings("ignore")  # as above
def test_many_models_at_two_batch_sizes_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    class Model(nn.Module):  # one forward for all of them, as specs' models have
        def __init__(self, classes: int) -> None:
            super().__init__()
            self.fc = nn.Linear(4, classes)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(x)

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    mode = read_mode("compiled")
    for classes in range(10, 16):
        converted = mode.convert(Model(classes))
        for size in (1, 2):
            assert mode.bind(converted, torch.ones(size, 4))().shape == (size, classes)


def test_channels_last_leaves_the_given_module_alone(module: nn.Module) -> None:
    mode = read_mode("channels_last")
    converted = mode.convert(module)
    convolutions = [each for each in module.modules() if isinstance(each, nn.Conv2d) and each.kernel_size != (1, 1)]
    assert all(each.weight.is_contiguous() for each in convolutions)
    own = [each for each in converted.modules() if isinstance(each, nn.Conv2d) and each.kernel_size != (1, 1)]
    assert all(each.weight.is_contiguous(memory_format=torch.channels_last) for each in own)
    seen: list[torch.Tensor] = []
    converted.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    mode.bind(converted, torch.randn(2, 3, 64, 64))()
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


def test_fused_calls_the_fuser(module: nn.Module, use_fuse: Callable[[Any], None]) -> None:
    given: list[nn.Module] = []

    def fuse(model: nn.Module) -> nn.Module:
        given.append(model)
        return nn.Identity()

    use_fuse(fuse)
    images = torch.randn(1, 3, 64, 64)
    mode = read_mode("fused")
    assert mode.bind(mode.convert(module), images)() is images
    assert given == [module]


def test_no_gradients_are_kept(module: nn.Module) -> None:
    assert read_mode("eager").bind(module, torch.randn(1, 3, 64, 64))().is_inference()


def test_the_exported_file_is_gone(module: nn.Module, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = sorted(tmp_path.iterdir())
    call = read_mode("onnx").bind(module, torch.randn(1, 3, 64, 64))
    assert sorted(tmp_path.iterdir()) == before
    assert call().shape == (1, 10)


def test_every_step_is_said_in_the_help() -> None:
    import hiri_spec.commands.bench as command

    assert all(name in Path(command.__file__).read_text() for name in STEPS)
    assert Mode().name == "eager"
