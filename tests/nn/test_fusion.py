"""A fused model gives what its original gives, with fewer operations."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from strategies import model_specs
from torch import nn

import hiri_spec
from examples import EXAMPLES, IDS, input_shapes, output_channels
from hiri_spec import ModelSpec, SpecError
from hiri_spec.block import Part, trace
from hiri_spec.nn.fusion import fuse
from hiri_spec.nn.fusion.draft import Draft
from hiri_spec.nn.fusion.operations import NarrowModule
from hiri_spec.nn.fusion.rules import RULES
from hiri_spec.nn.realise import Rates
from hiri_spec.nn.wired import wire_module

FAMILIES = ["hiri_s", "table7_row01", "pvt_v2_b2_li", "davit_tiny", "swin_tiny_patch4_window7_224", "hrnet_w18_small"]
LARGE = ["hiri_b", "hiri_s_4stage", "pvt_v2_b2", "hrnet_w32"]
NAMES = [*FAMILIES, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]


def randomise(model: nn.Module) -> nn.Module:
    """Statistics that differ from channel to channel, and weights too, by as much as they start with."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in model.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2, generator=generator)
        elif tensor.is_floating_point():
            tensor.add_(torch.randn(tensor.shape, generator=generator), alpha=0.02)
    return model.eval()


def distance(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest difference, over the largest value."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


def count(model: nn.Module, *kinds: type[nn.Module]) -> int:
    return sum(isinstance(module, kinds) for module in model.modules())


@pytest.mark.parametrize("part", [part for _, part in EXAMPLES], ids=IDS)
@pytest.mark.parametrize("size", [(16, 16), (13, 18)], ids=["16", "13x18"])
def test_every_part(part: Part, size: tuple[int, int]) -> None:
    shapes = input_shapes(part, *size)
    traced = trace(part, shapes if part.takes_streams else shapes[0], output_channels(part))
    module = randomise(wire_module(traced, "Part", Rates())).double()
    draft = Draft(module)
    for rule in RULES:
        rule(draft)
    fused = draft.to_module().eval()
    images = [torch.randn(2, *shape, dtype=torch.float64) for shape in shapes]
    with torch.no_grad():
        expected, found = module(*images), fused(*images)
    for theirs, ours in zip(
        *((each,) if isinstance(each, torch.Tensor) else each for each in (expected, found)), strict=True
    ):
        assert distance(ours, theirs) < 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_equals_its_original(name: str) -> None:
    model = randomise(hiri_spec.build(name, classes=10))
    for dtype, most in ((torch.float32, 1e-5), (torch.float64, 1e-12)):
        model.to(dtype)
        fused = fuse(model)
        for size in ((96, 96), (70, 101)):
            image = torch.randn(2, 3, *size, dtype=dtype)
            with torch.no_grad():
                assert distance(fused(image), model(image)) < most


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spec=model_specs(max_width=32, max_depth=2, max_stages=4))
def test_any_spec(spec: ModelSpec) -> None:
    model = randomise(hiri_spec.build(spec)).double()
    image = torch.randn(2, spec.in_channels, 37, 52, dtype=torch.float64)
    with torch.no_grad():
        assert distance(fuse(model)(image), model(image)) < 1e-12


def test_what_is_left_of_hiri() -> None:
    fused = fuse(hiri_spec.build("hiri_s", drop_path_rate=0.1))
    assert [name for name, each in fused.named_modules() if isinstance(each, nn.BatchNorm2d)] == ["head.norm"]
    assert count(fused, nn.LayerNorm) == 13  # one before each attention, none elsewhere
    block = fused.stages[0].blocks[0]
    assert [name for name, _ in block.named_children()] == ["high", "low"]
    assert [name for name, _ in block.high.named_children()] == ["mix"]
    attention = fused.stages[3].blocks[0].attention
    assert attention.query_key_value.out_channels == 3 * 320
    assert count(attention, NarrowModule) == 3


def test_a_block_without_its_low_branch_is_one_convolution() -> None:
    """The high branch with the residual: one depthwise convolution whose kernel holds the identity."""
    model = randomise(hiri_spec.build("hiri_s"))
    block = model.stages[0].blocks[0]
    with torch.no_grad():
        block.low.project.weight.zero_()
        block.low.project.bias.zero_()
    high = fuse(model).stages[0].blocks[0].high
    x = torch.randn(1, 32, 20, 20)
    torch.testing.assert_close(high(x), block(x), rtol=1e-5, atol=1e-6)


def test_the_original_stays() -> None:
    model = hiri_spec.build("hiri_s", classes=10)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    fused = fuse(model)
    assert model.training
    assert not fused.training
    assert not any(parameter.requires_grad for parameter in fused.parameters())
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("form", ["features", "no classifier", "reset", "max", "maps", "synchronised"])
def test_other_forms_of_a_model(form: str) -> None:
    if form == "features":
        model = hiri_spec.build("hiri_s", features_only=True, out_indices=(1, 3))
    elif form == "no classifier":
        model = hiri_spec.build("hiri_s", classes=0)
    else:
        model = hiri_spec.build("hiri_s", in_channels=4)
        model.reset_classifier(3, {"max": "max", "maps": ""}.get(form))
    if form == "synchronised":
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        assert count(fuse(model), nn.SyncBatchNorm, nn.BatchNorm2d) == 1  # the head keeps its norm
    randomise(model)
    image = torch.randn(1, model.spec.in_channels, 64, 64)
    with torch.no_grad():
        expected, found = model(image), fuse(model)(image)
    for ours, theirs in zip(found, expected, strict=True):
        assert distance(ours, theirs) < 1e-5


def test_a_module_of_somebody_elses_stays() -> None:
    model = randomise(hiri_spec.build("hiri_s", classes=10))
    model.stages[2].blocks[0].expand = nn.Sequential(model.stages[2].blocks[0].expand, nn.PReLU())
    image = torch.randn(1, 3, 64, 64)
    fused = fuse(model)
    assert count(fused, nn.PReLU) == 1
    with torch.no_grad():
        assert distance(fused(image), model(image)) < 1e-5


def test_keeps_the_layout_of_its_weights() -> None:
    model = randomise(hiri_spec.build("hiri_s", classes=10)).to(memory_format=torch.channels_last)
    fused = fuse(model)
    weight = fused.stages[2].downsample.expand.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    image = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = model(image)
        assert distance(fused(image.contiguous(memory_format=torch.channels_last)), expected) < 1e-5


def test_goes_through_torch_export_and_copies() -> None:
    fused = fuse(randomise(hiri_spec.build("hiri_s", classes=10)))
    image = torch.randn(2, 3, 64, 64)
    program = torch.export.export(fused, (image,))
    with torch.no_grad():
        expected = fused(image)
        torch.testing.assert_close(program.module()(image), expected, rtol=1e-4, atol=1e-6)
        assert torch.equal(copy.deepcopy(fused)(image), expected)
        assert distance(fuse(fused)(image), expected) < 1e-6


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_asked_of_the_head(name: str) -> None:
    model = randomise(hiri_spec.build(name, classes=10)).double()
    fused = fuse(model)
    image = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        maps = model.forward_features(image)
        for options in ({"pre_logits": True}, {}):
            assert distance(fused.forward_head(maps, **options), model.forward_head(maps, **options)) < 1e-12
        ours, theirs = (
            each.forward_intermediates(image, norm=True, intermediates_only=True)[-1] for each in (fused, model)
        )
        assert distance(ours, theirs) < 1e-12
        for each in (model, fused):
            each.reset_classifier(0)
        assert distance(fused(image), model(image)) < 1e-12


CHANGES = {
    "batch_norm": lambda model: setattr(model.stages[1].downsample.norm, "eps", 0.1),
    "gelu": lambda model: model.stages[2].blocks[0].set_submodule("act", nn.GELU("tanh")),
    "dilation": lambda model: (
        setattr(model.stages[2].blocks[0].mix, "dilation", (2, 2)),
        setattr(model.stages[2].blocks[0].mix, "padding", (2, 2)),
    ),
    "layer_norm": lambda model: setattr(model.stages[3].blocks[0].attention.norm, "eps", 0.1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_settings_changed_by_hand_stay(change: Callable[[Any], object]) -> None:
    model = randomise(hiri_spec.build("hiri_s", classes=10)).double()
    image = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        before = model(image)
        change(model)
        assert distance(model(image), before) > 1e-9
        assert distance(fuse(model)(image), model(image)) < 1e-12


def test_hooks_stay() -> None:
    model = hiri_spec.build("hiri_s", classes=10)
    heard: list[str] = []
    for name in ("stages.1.blocks.0", "stages.2.blocks.0.act", "stages.3.blocks.0.attention", "stages.3.downsample"):
        model.get_submodule(name).register_forward_hook(lambda *_, name=name: heard.append(name))
    fuse(model)(torch.randn(1, 3, 32, 32))
    assert sorted(heard) == [
        "stages.1.blocks.0",
        "stages.2.blocks.0.act",
        "stages.3.blocks.0.attention",
        "stages.3.downsample",
    ]


def test_bfloat16_is_rounded_once() -> None:
    exact = randomise(hiri_spec.build("hiri_s", classes=10)).double()
    model = copy.deepcopy(exact).bfloat16()
    rounded = copy.deepcopy(model).double()  # the weights of the one in bfloat16
    fused = fuse(model)
    assert {each.dtype for each in fused.state_dict().values() if each.is_floating_point()} == {torch.bfloat16}
    ours, theirs = fused.double().state_dict(), fuse(rounded).state_dict()
    for name, tensor in ours.items():
        # half a unit in the last place, and no more
        assert torch.allclose(tensor.double(), theirs[name].double(), rtol=2**-8, atol=1e-6), name


def test_inside_of_other_modules() -> None:
    model = randomise(hiri_spec.build("hiri_s", classes=10)).double()
    image = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    wrapped = nn.Sequential(model, nn.Softmax(1))
    fused = fuse(wrapped)
    with torch.no_grad():
        assert distance(fused(image), wrapped(image)) < 1e-12
    assert count(fused, nn.BatchNorm2d) == 1


@pytest.mark.parametrize(("model", "kind"), [("hiri_s", "str"), (nn.Linear(2, 2), "Linear")], ids=["name", "module"])
def test_only_models_of_specs(model: Any, kind: str) -> None:
    for change in (fuse, hiri_spec.tune):
        with pytest.raises(SpecError, match=f"model: a {kind} was not built from a spec; give what hiri_spec.build"):
            change(model)
