"""The built model: it reads, runs, trains and exports like a hand-written one, and equals its spec's cost."""

import copy
import pickle
import re

import pytest
import torch
from contract import count_params, count_with_fvcore, count_with_torch
from hypothesis import HealthCheck, given, settings
from strategies import model_specs
from torch import nn

import hiri_spec
from hiri_spec import ModelSpec, SpecError
from hiri_spec.block import RESERVED_NAMES
from hiri_spec.files import builtin_specs

SMALL = {
    "name": "small",
    "resolution": 64,
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


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return hiri_spec.build(SMALL).eval()


@pytest.mark.parametrize("size", [(96, 96), (97, 130)], ids=["96", "97x130"])
@pytest.mark.parametrize("name", builtin_specs())
def test_every_built_in_spec_costs_what_its_model_does(name: str, size: tuple[int, int]) -> None:
    model = hiri_spec.build(name).eval()
    image = torch.randn(1, 3, *size)
    cost = hiri_spec.cost(name, size)
    assert cost.params == count_params(model)
    with torch.no_grad():
        assert cost.macs == count_with_fvcore(model, image)
        assert cost.macs == count_with_torch(model, image)
        assert model(image).shape == (1, model.spec.head.classes)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spec=model_specs(max_width=32, max_depth=2, max_stages=4))
def test_any_spec_costs_what_its_model_does(spec: ModelSpec) -> None:
    model = hiri_spec.build(spec).eval()
    image = torch.randn(1, spec.in_channels, 37, 52)
    cost = hiri_spec.cost(spec, (37, 52))
    assert cost.params == count_params(model)
    assert cost.macs == count_with_torch(model, image)


@pytest.mark.parametrize("size", [(32, 32), (32, 45), (63, 33), (128, 64)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_takes_any_size(model: nn.Module, size: tuple[int, int]) -> None:
    assert model(torch.randn(2, 3, *size)).shape == (2, 10)


def test_reads_like_a_hand_written_module(model: nn.Module) -> None:
    names = dict(model.named_modules())
    for name in ("stem", "stages.0.blocks.0.high.mix", "stages.1.downsample", "stages.1.late.1.mlp.expand", "head.fc"):
        assert name in names
    text = str(model)
    assert "(mix): Conv2d(16, 16, kernel_size=(3, 3)" in text
    assert "(0): HR(" in text
    assert "(fc): Linear(in_features=32, out_features=10" in text


def test_names_that_torch_uses_itself_are_reserved(model: nn.Module) -> None:
    names = {name for name in dir(model.stages[0]) if re.fullmatch(r"[a-z][a-z0-9_]*", name)}
    assert names - {"blocks"} <= RESERVED_NAMES


@pytest.mark.parametrize("name", ["train", "forward", "downsample", "class"])
def test_a_run_of_a_reserved_name(name: str) -> None:
    stages = [{"block": "cffn", "depth": 1, "width": 8, "name": name}]
    with pytest.raises(SpecError, match=rf"stages\[0\]\.name: .*{name} is a word of Python or torch; use another"):
        hiri_spec.build({**SMALL, "stages": stages})


def test_state_dict_keys_follow_run_names(model: nn.Module) -> None:
    keys = model.state_dict().keys()
    assert "stages.1.late.0.attention.query.weight" in keys
    assert "stages.1.blocks.0.layer_scale.gamma" in keys
    assert not any("drop_path" in key for key in keys)


def test_forward_is_features_then_head(model: nn.Module) -> None:
    image = torch.randn(2, 3, 64, 64)
    features = model.forward_features(image)
    assert features.shape == (2, 32, 4, 4)
    torch.testing.assert_close(model.forward_head(features), model(image))
    pooled = model.forward_head(features, pre_logits=True)
    assert pooled.shape == (2, 32)
    torch.testing.assert_close(model.get_classifier()(pooled), model(image))


@pytest.mark.parametrize(
    ("indices", "channels"), [(None, [16, 24, 32]), (2, [24, 32]), ([0, -1], [16, 32])], ids=["all", "last", "list"]
)
def test_forward_intermediates(model: nn.Module, indices: object, channels: list[int]) -> None:
    image = torch.randn(1, 3, 64, 64)
    last, maps = model.forward_intermediates(image, indices)
    assert [each.shape[1] for each in maps] == channels
    torch.testing.assert_close(last, model.forward_features(image))
    only = model.forward_intermediates(image, indices, intermediates_only=True, output_fmt="NHWC")
    assert [each.shape[-1] for each in only] == channels


def test_forward_intermediates_norms_and_stops(model: nn.Module) -> None:
    image = torch.randn(1, 3, 64, 64)
    last, maps = model.forward_intermediates(image, [2], norm=True)
    torch.testing.assert_close(maps[0], model.head.norm(last))
    last, maps = model.forward_intermediates(image, [0], stop_early=True)
    torch.testing.assert_close(last, maps[0])


@pytest.mark.parametrize("indices", [[3], [-4], 0, 4, [], True], ids=str)
def test_indices_that_are_not_there(model: nn.Module, indices: object) -> None:
    with pytest.raises(SpecError, match=r"^indices: .* does not fit 3 stages"):
        model.forward_intermediates(torch.randn(1, 3, 64, 64), indices)


def test_unknown_layout(model: nn.Module) -> None:
    with pytest.raises(SpecError, match="'NLC' is no layout; use NCHW or NHWC"):
        model.forward_intermediates(torch.randn(1, 3, 64, 64), output_fmt="NLC")


def test_feature_info(model: nn.Module) -> None:
    assert [info["num_chs"] for info in model.feature_info] == [16, 24, 32]
    assert [info["reduction"] for info in model.feature_info] == [4, 8, 16]
    assert [info["module"] for info in model.feature_info] == ["stages.0", "stages.1", "stages.2"]


def test_features_only() -> None:
    model = hiri_spec.build(SMALL, features_only=True, out_indices=(0, 2)).eval()
    maps = model(torch.randn(1, 3, 64, 96))
    assert [tuple(each.shape) for each in maps] == [(1, 16, 16, 24), (1, 32, 4, 6)]
    assert model.feature_info.channels() == [16, 32]
    assert model.feature_info.reduction() == [4, 16]
    assert not any(name.startswith("head") for name, _ in model.named_parameters())
    with pytest.raises(SpecError, match="has no head"):
        model.forward_head(maps[-1])
    with pytest.raises(SpecError, match="has no head"):
        model.reset_classifier(3)


def test_out_indices_need_features_only() -> None:
    with pytest.raises(SpecError, match="features_only=True"):
        hiri_spec.build(SMALL, out_indices=(0,))


def test_classes_and_reset_classifier() -> None:
    model = hiri_spec.build(SMALL, classes=7).eval()
    image = torch.randn(1, 3, 64, 64)
    assert model(image).shape == (1, 7)
    model.reset_classifier(3)
    assert model(image).shape == (1, 3)
    assert model.spec.head.classes == model.num_classes == 3
    model.reset_classifier(0)
    assert model(image).shape == (1, 32)
    assert hiri_spec.build(SMALL, classes=0)(torch.randn(2, 3, 64, 64)).shape == (2, 32)
    with pytest.raises(SpecError, match="-1 is no number of classes; use a whole one, 0 for none"):
        model.reset_classifier(-1)


def test_overrides() -> None:
    model = hiri_spec.build(SMALL, in_channels=5, drop_path_rate=0.3)
    assert model(torch.randn(2, 5, 64, 64)).shape == (2, 10)
    rates = [module.drop_prob for name, module in model.named_modules() if name.endswith("drop_path")]
    assert rates[0] == 0
    assert rates[-1] == pytest.approx(0.3)
    assert rates == sorted(rates)


def test_trains(model: nn.Module) -> None:
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    images, labels = torch.randn(16, 3, 64, 64), torch.arange(16) % 10
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_starts_sanely() -> None:
    torch.manual_seed(0)
    model = hiri_spec.build("hiri_s")
    out = model(torch.randn(4, 3, 128, 128))
    loss = nn.functional.cross_entropy(out, torch.zeros(4, dtype=torch.long))
    assert 0.01 < out.std() < 3
    loss.backward()
    norms = torch.stack([parameter.grad.norm() for parameter in model.parameters()])
    assert torch.isfinite(norms).all()
    assert norms.max() < 100


def test_gradient_checkpointing_gives_the_same_gradients() -> None:
    torch.manual_seed(0)
    model = hiri_spec.build(SMALL)
    images = torch.randn(4, 3, 64, 64)
    gradients, statistics = [], []
    for enable in (False, True):
        twin = copy.deepcopy(model).train()
        twin.set_grad_checkpointing(enable)
        twin(images).square().sum().backward()
        gradients.append([parameter.grad for parameter in twin.parameters()])
        statistics.append(dict(twin.named_buffers()))
    torch.testing.assert_close(gradients[0], gradients[1])
    # the batch is seen twice, and counted once
    torch.testing.assert_close(statistics[0], statistics[1], rtol=0, atol=0)


def test_channels_last(model: nn.Module) -> None:
    image = torch.randn(2, 3, 64, 96)
    expected = model(image)
    model.to(memory_format=torch.channels_last)
    torch.testing.assert_close(model(image.to(memory_format=torch.channels_last)), expected, rtol=1e-4, atol=1e-5)


def test_export_keeps_the_batch_dynamic(model: nn.Module) -> None:
    image = torch.randn(2, 3, 64, 96)
    batch = torch.export.Dim("batch")
    program = torch.export.export(model, (image,), dynamic_shapes={"x": {0: batch}})
    for images in (image, torch.randn(5, 3, 64, 96)):
        torch.testing.assert_close(program.module()(images), model(images))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch.compile's own modules warn about one another
def test_compile(model: nn.Module) -> None:
    image = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(torch.compile(model)(image), model(image), rtol=1e-4, atol=1e-5)


def test_copies_and_pickles(model: nn.Module) -> None:
    image = torch.randn(1, 3, 64, 64)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(twin(image), model(image))


def test_builds_on_the_meta_device() -> None:
    with torch.device("meta"):
        model = hiri_spec.build("hiri_l")
    assert model(torch.empty(2, 3, 448, 448, device="meta")).shape == (2, 1000)


def test_same_seed_same_weights() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(hiri_spec.build(SMALL).state_dict())
    torch.testing.assert_close(states[0], states[1], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"max_params": 1000}, r"parameters, more than the limit of 1e\+03; .* max_params=…"),
        ({"max_macs": 1000}, r"MACs at 64x64, more than the limit of 1e\+03; .* max_macs=…"),
    ],
    ids=["params", "macs"],
)
def test_too_dear_to_build(change: dict[str, float], match: str) -> None:
    with pytest.raises(SpecError, match=match):
        hiri_spec.build(SMALL, **change)


def test_beyond_any_machine_is_refused_at_once() -> None:
    stages = [{"block": "cffn", "depth": 10**12, "width": 10**9}]
    with pytest.raises(SpecError, match="more than the limit"):
        hiri_spec.build({**SMALL, "stages": stages})


@pytest.mark.parametrize(("pruned", "left"), [([1], [0, 1]), ([0], [0])], ids=["one", "two"])
def test_maps_of_a_pruned_model(pruned: list[int], left: list[int]) -> None:
    model = hiri_spec.build(SMALL, features_only=True).eval()
    image = torch.randn(1, 3, 64, 64)
    expected = model(image)
    assert model.prune_intermediate_layers(pruned) == pruned
    maps = model(image)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(maps, expected, strict=False))
    assert (len(maps), model.out_indices) == (len(left), left)
    assert model.feature_info.channels() == [each.shape[1] for each in maps]


def test_no_image_size(model: nn.Module) -> None:
    with pytest.raises(SpecError, match="img_size: None is no image size; give a side in pixels"):
        model.set_input_size(None)
