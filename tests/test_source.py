"""A spec as PyTorch source: it stands by itself, reads well, and computes what the built model does, bit for bit."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from strategies import model_specs
from torch import nn

import hiri_spec
from examples import EXAMPLES, IDS
from hiri_spec import ModelSpec, SpecError, ops
from hiri_spec.block import Block, Downsample, Head, Part, Stem
from hiri_spec.blocks.add_stream import AddStream
from hiri_spec.blocks.cffn import CFFN
from hiri_spec.blocks.classifier import Classifier
from hiri_spec.blocks.head_hrnet import HRNetHead
from hiri_spec.blocks.stem_conv import ConvStem
from hiri_spec.blocks.stem_hrnet import HRNetStem
from hiri_spec.blocks.streams import Streams
from hiri_spec.feature_map import FeatureMap
from hiri_spec.files import builtin_specs
from hiri_spec.graph import Op
from hiri_spec.source.layers import Column, layer

SMALL = {
    "name": "small",
    "resolution": 64,
    "drop_path_rate": 0.2,
    "stem": {"stem": "hr", "width": 8},
    "stages": [
        {"block": "hr", "depth": 2, "width": 16},
        [
            {"block": "cffn", "depth": 1, "width": 24, "downsample": "irds_a", "layer_scale": 1e-2},
            {"block": "transformer", "depth": 2, "width": 24, "heads": 3, "reduction": 2, "name": "late"},
        ],
        {"block": "transformer", "depth": 1, "width": 32, "heads": 4, "downsample": "irds_b"},
    ],
    "head": {"classes": 10},
}
QUICK = {"pvt_v2_b0", "hrnet_w18_small"}
BUILT_IN = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow, id=name) for name in builtin_specs()]


def run_source(text: str, name: str) -> Callable[..., nn.Module]:
    """The class of that name in a written file."""
    names: dict[str, Any] = {"__name__": "written"}
    exec(compile(text, f"{name}.py", "exec"), names)
    found: Callable[..., nn.Module] = names[name]
    return found


def twins(spec: Any) -> tuple[nn.Module, nn.Module]:
    """The built model and the written one with its state dict; norms, biases and scales are no ones and zeros."""
    torch.manual_seed(0)
    built = hiri_spec.build(spec)
    for tensor in built.state_dict().values():
        if tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5)
    written = run_source(hiri_spec.to_source(spec, class_name="Written"), "Written")()
    written.load_state_dict(built.state_dict(), strict=True)
    return built, written


def assert_equal_outputs(built: nn.Module, written: nn.Module, *sizes: tuple[int, int]) -> None:
    built.eval()
    written.eval()
    channels = built.spec.in_channels  # type: ignore[union-attr]
    for size in sizes:
        image = torch.randn(1, channels, *size)
        with torch.no_grad():
            expected = built(image)
            assert expected.isfinite().all()
            assert torch.equal(written(image), expected)
            pooled = built.forward_head(built.forward_features(image), pre_logits=True)  # type: ignore[operator]
            assert torch.equal(
                written.forward_head(written.forward_features(image), pre_logits=True),  # type: ignore[operator]
                pooled,
            )


def assert_equal_training(built: nn.Module, written: nn.Module, size: tuple[int, int]) -> None:
    """Equal outputs in training, random operations included, equal gradients and running statistics."""
    images = torch.randn(2, built.spec.in_channels, *size)  # type: ignore[union-attr]
    outputs = []
    for model in (built, written):
        model.train()
        torch.manual_seed(1)
        outputs.append(model(images))
        outputs[-1].square().sum().backward()
    assert torch.equal(*outputs)
    for (name, own), other in zip(built.named_parameters(), written.parameters(), strict=True):
        assert torch.equal(own.grad, other.grad), name
    for (name, own), other in zip(built.state_dict().items(), written.state_dict().values(), strict=True):
        assert torch.equal(own, other), name


def around(part: Part) -> ModelSpec:
    """A small network with a part in its place."""
    stem: Stem = part if isinstance(part, Stem) else ConvStem(width=8)
    head: Head = part if isinstance(part, Head) else Classifier(classes=10)
    stages: tuple[tuple[Block, ...], ...]
    if part.takes_streams or isinstance(part, HRNetStem):
        stem = part if isinstance(part, Stem) else HRNetStem(width=8, inner=8, depth=2)
        head = part if isinstance(part, Head) else HRNetHead(inner=4, width=16, classes=10)
        two = Streams(depth=1, width=8, streams=2, blocks=1, downsample=AddStream())
        three = part if isinstance(part, Block) else Streams(depth=2, width=8, streams=3, blocks=2)
        stages = ((two,), (three.model_copy(update={"downsample": AddStream()}),))
    elif isinstance(part, Block):
        stages = ((part.model_copy(update={"depth": 2}),),)
    elif isinstance(part, Downsample):
        stages = (CFFN(depth=1, width=24),), (CFFN(depth=1, width=16, downsample=part),)
    else:
        stages = ((CFFN(depth=1, width=16),),)
    return ModelSpec(name="around", resolution=64, drop_path_rate=0.2, stem=stem, stages=stages, head=head)


class TestItComputesTheSame:
    """torch.equal, in inference at two sizes and in training."""

    @pytest.mark.parametrize("name", BUILT_IN)
    def test_as_every_built_in_spec(self, name: str) -> None:
        built, written = twins(name)
        assert_equal_outputs(built, written, (224, 224), (97, 130))
        assert_equal_training(built, written, (64, 64))

    def test_as_a_spec_of_mixed_stages(self) -> None:
        built, written = twins(SMALL)
        assert_equal_outputs(built, written, (224, 224), (97, 130))
        assert_equal_training(built, written, (64, 96))

    def test_with_runs_called_as_things_of_python(self) -> None:
        runs = [{"block": "ffn", "depth": 1, "width": 8, "name": name} for name in ("self", "append", "layers", "x")]
        built, written = twins({**SMALL, "stages": [runs]})
        assert_equal_outputs(built, written, (64, 64))

    @pytest.mark.parametrize("part", [part for _, part in EXAMPLES], ids=IDS)
    def test_with_every_part(self, part: Part) -> None:
        built, written = twins(around(part))
        assert_equal_outputs(built, written, (64, 64), (37, 50))
        assert_equal_training(built, written, (64, 64))

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(spec=model_specs())
    def test_as_any_spec(self, spec: ModelSpec) -> None:
        built, written = twins(spec)
        assert_equal_outputs(built, written, (37, 52))
        assert ast.get_docstring(ast.parse(hiri_spec.to_source(spec)))


class TestItStandsByItself:
    """Nothing but torch."""

    @pytest.mark.parametrize("name", builtin_specs())
    def test_it_imports_nothing_but_torch(self, name: str) -> None:
        imported = [
            module
            for node in ast.walk(ast.parse(hiri_spec.to_source(name)))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for module in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module])
        ]
        assert {str(module).split(".")[0] for module in imported} == {"torch"}

    def test_it_runs_without_this_package_and_timm(self, tmp_path: Path) -> None:
        path = tmp_path / "small.py"
        path.write_text(hiri_spec.to_source(SMALL), encoding="utf-8")
        absent = "import runpy, sys; sys.modules['hiri_spec'] = sys.modules['timm'] = None"
        code = f"{absent}; runpy.run_path({str(path)!r}, run_name='__main__')"
        told = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
        assert told.stdout == f"{hiri_spec.cost(SMALL).params:,} parameters, (1, 3, 64, 64) -> (1, 10)\n"

    def test_every_operation_has_a_text(self) -> None:
        kinds = {kind for kind in vars(ops).values() if isinstance(kind, type) and issubclass(kind, Op)}
        assert {kind for kind in kinds if layer.dispatch(kind) is layer.dispatch(Op)} == {ops.Input}
        with pytest.raises(TypeError, match="operation 'input' has no source text; add one to"):
            layer(ops.Input((3, 8, 8)), Column((), ()))


class TestItReadsWell:
    """What a reader would mind."""

    def test_every_built_in_spec_is_formatted_and_clean(self, tmp_path: Path) -> None:
        for name in builtin_specs():
            text = hiri_spec.to_source(name)
            assert len(text.splitlines()) < 600
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        ruff = [sys.executable, "-m", "ruff"]
        for command in (
            ["format", "--check", "--isolated", "--line-length", "120"],
            ["check", "--isolated", "--select", "B,C4,D1,F,I,N,PIE,RET,SIM,UP,W", "--ignore", "D102,D107,N801,N812"],
        ):
            told = subprocess.run([*ruff, *command, str(tmp_path)], capture_output=True, text=True, check=False)
            assert told.returncode == 0, told.stdout

    def test_a_class_for_each_part_with_arguments_for_what_differs(self) -> None:
        text = hiri_spec.to_source("pvt_v2_b2")
        assert "def __init__(self, channels: int, hidden: int, *, reduction: int, heads: int, drop_path" in text
        assert "TransformerWithReduction(64, 512, reduction=8, heads=1, drop_path=rate) for rate in rates[0:3]" in text
        assert "Transformer(512, heads=8, drop_path=rate) for rate in rates[16:19]" in text

    def test_classes_of_one_part_are_told_apart_by_what_makes_them_differ(self) -> None:
        stages = [
            {"block": "cffn", "depth": 1, "width": 8, "activation": "relu"},
            {"block": "cffn", "depth": 1, "width": 8, "layer_scale": 0.1, "downsample": "irds_a"},
        ]
        text = hiri_spec.to_source({**SMALL, "stages": stages})
        assert [name in text for name in ("class CFFN(", "class CFFNWithLayerScale(")] == [True, True]

    def test_a_scope_with_the_structure_of_a_part_is_one(self) -> None:
        text = hiri_spec.to_source("hiri_s")
        assert text.count("class CFFN(nn.Module)") == 1
        assert "self.mlp = CFFN(channels, drop_path=drop_path)" in text

    def test_only_what_is_needed_is_written(self) -> None:
        text = hiri_spec.to_source(SMALL)
        assert all(f"class {name}" in text for name in ("DropPath", "LayerScale", "Upsample", "DotProductAttention"))
        assert not any(f"class {name}" in text for name in ("WindowAttention", "ChannelAttention", "Roll"))

    def test_statements_in_the_order_of_the_graph(self) -> None:
        text = hiri_spec.to_source("hiri_s")
        assert (
            "        y = self.norm(x)\n"
            "        query = self.query(y)\n"
            "        key = self.key(y)\n"
            "        value = self.value(y)\n"
            "        y = self.attend(query, key, value)\n"
            "        y = self.project(y)\n"
            "        return x + self.drop_path(y)\n"
        ) in text

    def test_values_of_other_kinds_become_arguments_too(self) -> None:
        stages = [
            {"block": "cffn", "depth": 1, "width": 8, "kernel": 3, "activation": "relu"},
            {"block": "cffn", "depth": 1, "width": 16, "kernel": 5, "norm": "layer", "downsample": "irds_a"},
        ]
        text = hiri_spec.to_source({**SMALL, "stages": stages})
        assert "norm: type[nn.Module], kernel: int, activation: type[nn.Module]" in text
        assert "kernel, padding=kernel // 2, groups=4 * channels)" in text
        assert "CFFN(16, norm=LayerNorm, kernel=5, activation=nn.GELU, drop_path=rates[1])" in text


class TestTheHeader:
    """The docstring of the file."""

    def test_it_tells_the_costs_and_the_spec(self) -> None:
        told = ast.get_docstring(ast.parse(hiri_spec.to_source("hiri_s"))) or ""
        assert told.startswith("hiri_s: HIRI-ViT-S, five stages for 448 pixels (calibrated).\n")
        assert "34.39 M parameters, 5.009 GMACs at 448 (MACs as papers count" in told
        assert "  - {block: hr, depth: 2, width: 64, downsample: irds_a}\n" in told

    @pytest.mark.parametrize(
        "description",
        ['"', '"""', '""""', "\\", '\\"', "a\\", "\n", "\x00\u202e", "é → ᵀ", "long " * 40],
        ids=lambda text: ascii(text)[:16],
    )
    def test_any_description(self, description: str) -> None:
        text = hiri_spec.to_source({**SMALL, "description": description})
        told = ast.get_docstring(ast.parse(text), clean=False) or ""
        assert " ".join(description.split()) in " ".join(told.split())


class TestTheName:
    """The name of the network's class."""

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("hiri_s", "HiriS"),
            ("swin_7_224", "Swin7_224"),
            ("1e5", "Network1e5"),
            ("none", "NetworkNone"),
            ("CFFN", "NetworkCFFN"),
            ("layer.norm", "NetworkLayerNorm"),
            ("value-error", "NetworkValueError"),
        ],
    )
    def test_it_comes_from_the_spec(self, name: str, expected: str) -> None:
        assert f"model = {expected}()" in hiri_spec.to_source({**SMALL, "name": name})

    @pytest.mark.parametrize("name", ["", "a b", "1a", "class", "Ｆ", "a\nb", 5], ids=ascii)
    def test_no_name_for_a_class(self, name: Any) -> None:
        with pytest.raises(SpecError, match="is no name for a Python class; use letters, digits and _, like Small"):
            hiri_spec.to_source(SMALL, class_name=name)

    @pytest.mark.parametrize(
        "name", ["nn", "F", "HR", "CFFN", "DropPath", "initialise", "super", "TransformerAttention"]
    )
    def test_a_name_that_is_taken(self, name: str) -> None:
        with pytest.raises(SpecError, match=f"'{name}' already means something in the file; use another, like Small"):
            hiri_spec.to_source(SMALL, class_name=name)


def test_a_name_that_python_cannot_say() -> None:
    class Odd(CFFN):
        def wire(self, x: FeatureMap) -> FeatureMap:
            return x.conv(x.channels, 1, name="lambda")

    with pytest.raises(SpecError, match="cffn: Odd names a module 'lambda', which Python can't; change it in its wire"):
        hiri_spec.to_source(around(Odd(depth=1, width=8)))


def test_the_excerpts_in_the_documentation_are_what_is_written() -> None:
    page = (Path(__file__).parent.parent / "docs" / "source.md").read_text(encoding="utf-8")
    excerpts = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    text = hiri_spec.to_source("hiri_s")
    assert excerpts
    assert all(excerpt in text for excerpt in excerpts)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(SpecError, match="more than the limit"):
        hiri_spec.to_source({**SMALL, "stages": [{"block": "cffn", "depth": 10**12, "width": 10**9}]})
    with pytest.raises(SpecError, match="raise the limit with max_params=…"):
        hiri_spec.to_source(SMALL, max_params=1000)
