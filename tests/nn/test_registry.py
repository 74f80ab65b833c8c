"""Every built-in spec is a timm model: what timm's own tests ask of a model, asked of each registered name.

Shapes are read at each model's own resolution on the meta device, which computes nothing; numbers on small images.
"""

from __future__ import annotations

import copy
from math import ceil
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from timm.data import resolve_data_config, resolve_model_data_config
from timm.models import FeatureInfo, get_pretrained_cfg, group_parameters, is_model_pretrained, model_entrypoint
from timm.optim import create_optimizer_v2
from torch import Tensor, nn

import hiri_spec
import hiri_spec.timm_models
from hiri_spec import ModelSpec, SpecError
from hiri_spec.files import builtin_specs

NAMES = timm.list_models(module="timm_models")
SMALL = [
    "hiri_s",
    "spec_pvt_v2_b0",
    "spec_davit_tiny",
    "spec_swin_tiny_patch4_window7_224",
    "spec_hrnet_w18_small",
]
SMALL_FIRST = [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES if name not in SMALL)]
TWINS = ["pvt_v2_b0", "davit_tiny", "swin_tiny_patch4_window7_224", "hrnet_w18_small"]
IMAGES = (2, 3, 48, 64)
MINE = {
    "name": "mine",
    "resolution": [64, 96],
    "in_channels": 4,
    "stem": {"stem": "conv", "width": 8},
    "stages": [
        [{"block": "cffn", "depth": 2, "width": 8}, {"block": "norm", "width": 8}],
        [
            {"block": "cffn", "depth": 1, "width": 16, "downsample": "irds_a"},
            {"block": "swin", "depth": 1, "width": 16, "heads": 2, "window": 4},
        ],
    ],
    "head": {"classes": 6},
}


def on_meta(name: str, **options: Any) -> Any:
    return timm.create_model(name, device="meta", **options).eval()


def image_at_own_size(model: nn.Module) -> Tensor:
    return torch.empty(2, *model.pretrained_cfg["input_size"], device="meta")


def share(model: nn.Module) -> Any:
    """A copy whose parts can be changed, with the same tensors in it."""
    return copy.deepcopy(model, {id(tensor): tensor for tensor in [*model.parameters(), *model.buffers()]})


@pytest.fixture(scope="module", params=SMALL_FIRST)
def built(request: pytest.FixtureRequest) -> nn.Module:
    """A model of each name, in evaluation, with statistics of its own in its batch norms; don't change it."""
    torch.manual_seed(0)
    model = timm.create_model(request.param, num_classes=7).train()
    with torch.no_grad():
        model(torch.randn(4, *IMAGES[1:]))
    return model.eval()


@pytest.fixture
def registered() -> str:
    """MINE, whatever a test before made of it."""
    return hiri_spec.register(MINE, replace=True)


# names


def test_every_built_in_spec_is_registered() -> None:
    assert len(NAMES) == len(builtin_specs())
    assert {name.removeprefix("spec_") for name in NAMES} == builtin_specs().keys()


def test_names_of_timm_stay_timms() -> None:
    for name in builtin_specs():
        ours = name if name in NAMES else f"spec_{name}"
        assert model_entrypoint(ours).__module__ == "hiri_spec.timm_models"
        if ours != name:
            assert model_entrypoint(name).__module__.startswith("timm.models.")
            assert is_model_pretrained(name)
    assert "hiri_s" in NAMES
    assert "pvt_v2_b2" not in NAMES
    assert type(timm.create_model("pvt_v2_b0")).__module__ == "timm.models.pvt_v2"


def test_a_function_for_each_model_as_in_timms_modules() -> None:
    assert hiri_spec.timm_models.hiri_s is model_entrypoint("hiri_s")
    assert set(NAMES) <= set(hiri_spec.timm_models.__all__)
    with pytest.raises(AttributeError, match="no attribute 'hiri_z'"):
        _ = hiri_spec.timm_models.hiri_z


def test_registering_a_file_of_ones_own(registered: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    hiri_spec.save(MINE, path)
    assert hiri_spec.register(path) == hiri_spec.register(path) == hiri_spec.register(MINE) == registered == "mine"
    assert hiri_spec.register(path, name="mine-2") == "mine-2"
    path.unlink()
    model = timm.create_model("mine-2")
    assert isinstance(model.spec, ModelSpec)
    assert model(torch.randn(2, 4, 64, 96)).shape == (2, 6)
    assert timm.create_model("mine-2", num_classes=3).num_classes == 3
    assert "mine-2" not in builtin_specs()


def test_a_name_that_is_taken(registered: str) -> None:
    with pytest.raises(SpecError, match=r"resnet18: timm has a model of this name; .* name='spec_resnet18'"):
        hiri_spec.register(MINE, name="resnet18")
    other = {**MINE, "resolution": 128, "in_channels": 3}
    with pytest.raises(
        SpecError, match=r"mine: another spec is registered .*resolution: .* and 1 more\); .* replace=T"
    ):
        hiri_spec.register(other)
    assert timm.create_model(registered).spec.size == (64, 96)
    assert hiri_spec.register(other, replace=True) == registered
    assert timm.create_model(registered).spec.size == (128, 128)
    assert get_pretrained_cfg(registered).input_size == (3, 128, 128)
    with pytest.raises(SpecError, match="timm has a model of this name"):
        hiri_spec.register(MINE, name="resnet18", replace=True)
    with pytest.raises(SpecError, match="register with name='my_pvt_v2_b0'"):  # the other one is ours
        hiri_spec.register(MINE, name="pvt_v2_b0")


@pytest.mark.parametrize("name", ["a.b", "a/b", "", "hf-hub:x", 3], ids=str)
def test_a_name_that_timm_would_misread(name: Any) -> None:
    with pytest.raises(SpecError, match="can't be the name of a model in timm; use letters, digits"):
        hiri_spec.register(MINE, name=name)


def test_a_wrong_spec_is_not_registered() -> None:
    with pytest.raises(SpecError, match=r"stages\[0\]"):
        hiri_spec.register({**MINE, "name": "wrong", "stages": [{"block": "cffn"}]})
    assert not timm.is_model("wrong")


# configurations and shapes, at each model's own resolution


@pytest.mark.parametrize("name", SMALL_FIRST)
def test_configuration_and_shapes(name: str) -> None:
    model = on_meta(name)
    cfg, names = model.default_cfg, model.state_dict().keys()
    assert f"{cfg['classifier']}.weight" in names
    assert f"{cfg['first_conv']}.weight" in names
    classes = 10 if name == "tiny" else 1000  # that one is for digits
    assert model.get_classifier().out_features == model.num_classes == cfg["num_classes"] == classes
    assert cfg["architecture"] == name
    assert not cfg["fixed_input_size"]
    maps = (2, model.num_features, *cfg["pool_size"])
    features = model.forward_features(image_at_own_size(model))
    assert features.shape == maps
    assert model.forward_head(features, pre_logits=True).shape == (2, model.head_hidden_size)
    assert model.forward_head(features).shape == (2, classes)
    model.reset_classifier(0)
    assert model.forward_head(features).shape == (2, model.num_features)
    assert isinstance(model.get_classifier(), nn.Identity)
    model.reset_classifier(0, "")
    assert model.forward_head(features).shape == maps
    model.reset_classifier(5)
    assert model.forward_head(features).shape == (2, 5, *cfg["pool_size"])
    model.reset_classifier(5, "max")
    assert model.forward_head(features).shape == (2, 5)
    created = on_meta(name, num_classes=0, global_pool="")
    assert created.forward_head(features).shape == maps
    assert created.state_dict().keys() == {key for key in names if not key.startswith("head.fc.")}


@pytest.mark.parametrize("name", SMALL_FIRST)
def test_maps_have_the_stated_channels_and_strides(name: str) -> None:
    model = on_meta(name, features_only=True)
    image = image_at_own_size(model)
    info = model.feature_info
    assert len(info.channels()) >= 3
    maps = model(image)
    expected = [
        (2, channels, ceil(image.shape[2] / stride), ceil(image.shape[3] / stride))
        for channels, stride in zip(info.channels(), info.reduction(), strict=True)
    ]
    assert [tuple(each.shape) for each in maps] == expected
    assert not {"num_classes", "classifier"} & model.pretrained_cfg.keys()


@pytest.mark.parametrize("name", NAMES)
def test_data_configuration(name: str) -> None:
    spec = hiri_spec.load(name.removeprefix("spec_"))
    config = resolve_data_config(pretrained_cfg=get_pretrained_cfg(name).to_dict())
    assert config["input_size"] == (3, *spec.size)
    assert config["mean"] == (0.485, 0.456, 0.406)
    assert config["std"] == (0.229, 0.224, 0.225)
    assert 0.8 < config["crop_pct"] <= 1
    assert config["interpolation"] in ("bicubic", "bilinear")
    if name != spec.name:
        assert config == resolve_data_config(pretrained_cfg=get_pretrained_cfg(spec.name).to_dict())


def test_configuration_of_other_images(registered: str) -> None:
    cfg = timm.create_model(registered).pretrained_cfg
    assert cfg["input_size"] == (4, 64, 96)
    assert cfg["mean"] == cfg["std"] == (0.5,) * 4
    assert cfg["first_conv"] == "stem.conv1"
    assert cfg["pool_size"] == (8, 12)
    assert cfg["num_classes"] == 6


def test_a_model_of_build_has_its_configuration_too() -> None:
    with torch.device("meta"):
        config = resolve_model_data_config(hiri_spec.build("hiri_s"))
    assert config["input_size"] == (3, 448, 448)


# numbers, on small images


def test_scores_are_features_and_head(built: nn.Module) -> None:
    image = torch.randn(IMAGES)
    with torch.no_grad():
        scores, features = built(image), built.forward_features(image)
        assert scores.shape == (2, 7)
        assert torch.isfinite(scores).all()
        torch.testing.assert_close(built.forward_head(features), scores)
        pooled = built.forward_head(features, pre_logits=True)
        torch.testing.assert_close(built.get_classifier()(pooled), scores)
        bare = share(built)
        bare.reset_classifier(0)
        torch.testing.assert_close(bare(image), pooled)


def test_every_parameter_learns(built: nn.Module) -> None:
    model = copy.deepcopy(built).train()
    model(torch.randn(IMAGES)).mean().backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


def test_intermediates_with_and_without_pruning(built: nn.Module) -> None:
    image = torch.randn(IMAGES)
    info = FeatureInfo(built.feature_info, len(built.feature_info))
    with torch.no_grad():
        last, maps = built.forward_intermediates(image)
        torch.testing.assert_close(last, built.forward_features(image))
        assert [each.shape[1] for each in maps] == info.channels()
        for indices in ([0], [1, -1], 2):
            wanted = built.forward_intermediates(image, indices, intermediates_only=True)
            early = built.forward_intermediates(image, indices, stop_early=True, intermediates_only=True)
            pruned = share(built)
            taken = pruned.prune_intermediate_layers(indices, prune_norm=True)
            assert all(index >= 0 for index in taken)
            torch.testing.assert_close(wanted, [maps[index] for index in taken])
            torch.testing.assert_close(early, wanted)
            torch.testing.assert_close(pruned.forward_intermediates(image, taken, intermediates_only=True), wanted)
            assert len(list(pruned.parameters())) < len(list(built.parameters()))
            assert pruned.num_classes == 0
            end = pruned(image)
            torch.testing.assert_close(end, tuple(maps) if built.has_streams else wanted[-1])


def test_features_only_takes_the_same_weights(built: nn.Module) -> None:
    image = torch.randn(IMAGES)
    model = timm.create_model(built.pretrained_cfg["architecture"], features_only=True, out_indices=(0, -1)).eval()
    missing, unexpected = model.load_state_dict(built.state_dict(), strict=False)
    assert missing == []
    assert all(name.startswith("head.") for name in unexpected)
    with torch.no_grad():
        torch.testing.assert_close(model(image), built.forward_intermediates(image, [0, -1], intermediates_only=True))


def test_layers_are_grouped_in_order(built: nn.Module) -> None:
    coarse = group_parameters(built, built.group_matcher(coarse=True), reverse=True)
    layers = group_parameters(built, built.group_matcher(), reverse=True)
    names = [name for name, _ in built.named_parameters()]
    assert layers.keys() == coarse.keys() == set(names)
    depth = sum(run.depth for stage in built.spec.stages for run in stage if run.block != "norm")
    assert set(layers.values()) == set(range(depth + 2))
    assert set(coarse.values()) == set(range(len(built.spec.stages) + 2))
    for grouped in (layers, coarse):
        places = [grouped[name] for name in names]
        assert places == sorted(places)
        assert {grouped[name] for name in names if name.startswith("stem.")} == {0}
        assert {grouped[name] for name in names if name.startswith("head.")} == {max(places)}


# a few of each kind


@pytest.mark.parametrize("name", SMALL)
def test_gradient_checkpointing_gives_the_same_gradients(name: str) -> None:
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=3).train()
    image = torch.randn(IMAGES)
    gradients = []
    for enable in (False, True):
        twin = copy.deepcopy(model)
        twin.set_grad_checkpointing(enable)
        twin(image).square().sum().backward()
        gradients.append([parameter.grad for parameter in twin.parameters()])
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_channels_last(name: str) -> None:
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=3).eval()
    image = torch.randn(IMAGES)
    with torch.no_grad():
        expected = model(image)
        model.to(memory_format=torch.channels_last)
        out = model(image.to(memory_format=torch.channels_last))
        torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spec_swin_tiny_patch4_window7_224", "spec_davit_tiny", "spec_hrnet_w18_small"])
def test_exports(name: str) -> None:
    model = timm.create_model(name, num_classes=3).eval()
    image = torch.randn(IMAGES)
    with torch.no_grad():
        program = torch.export.export(model, (image,), dynamic_shapes={"x": {0: torch.export.Dim("batch")}})
        torch.testing.assert_close(program.module()(image), model(image))


@pytest.mark.parametrize("name", TWINS)
def test_calls_give_the_shapes_that_timms_model_gives(name: str) -> None:
    ours, theirs = on_meta(f"spec_{name}"), on_meta(name)
    image = image_at_own_size(ours)
    for model in (ours, theirs):
        assert model.forward_features(image).numel() == 2 * model.num_features * 49
    assert ours.num_features == theirs.num_features
    assert ours.head_hidden_size == theirs.head_hidden_size
    for model in (ours, theirs):
        model.reset_classifier(4)
    assert ours(image).shape == theirs(image).shape == (2, 4)
    for model in (ours, theirs):
        model.reset_classifier(0, "")
    assert ours(image).numel() == theirs(image).numel()


@pytest.mark.parametrize("wrapper", ["getter", "list", "dict", "hook", "fx"])
@pytest.mark.parametrize("name", ["hiri_s", "spec_swin_tiny_patch4_window7_224"])
def test_timms_own_ways_to_features(name: str, wrapper: str) -> None:
    model = timm.create_model(name, features_only=True, feature_cls=wrapper, out_indices=(1, 2)).eval()
    spec = hiri_spec.load(name.removeprefix("spec_"))
    with torch.no_grad():
        maps = model(torch.randn(IMAGES))
    maps = list(maps.values()) if wrapper == "dict" else maps
    assert [each.shape[1] for each in maps] == model.feature_info.channels()
    assert model.feature_info.channels() == [spec.stages[index][0].width for index in (1, 2)]


@pytest.mark.parametrize("name", ["hiri_s", "spec_davit_tiny", "spec_hrnet_w18_small"])
def test_traces_with_torch_fx(name: str) -> None:
    model = timm.create_model(name, num_classes=3).eval()
    image = torch.randn(IMAGES)
    extract = timm.models.create_feature_extractor(model, ["head.pool", "head.fc"])
    with torch.no_grad():
        torch.testing.assert_close(extract(image)["head.fc"], model(image))


def test_streams_through_the_getter() -> None:
    model = timm.create_model("spec_hrnet_w18_small", features_only=True, feature_cls="getter", out_indices=(0, -1))
    with torch.no_grad():
        maps = model.eval()(torch.randn(IMAGES))
    assert [each.shape[1] for each in maps] == model.feature_info.channels() == [16, 128]
    with pytest.raises(SpecError, match="'list' takes one map from each module, not several streams; use 'getter'"):
        timm.create_model("spec_hrnet_w18_small", features_only=True, feature_cls="list")


def test_layer_decay_and_weight_decay(registered: str) -> None:
    model = timm.create_model(registered)
    tables = {name for name, _ in model.named_parameters() if name.endswith("attend.bias")}
    assert model.no_weight_decay() == tables
    assert len(tables) == 2
    optimizer = create_optimizer_v2(model, "adamw", lr=1e-3, weight_decay=0.05, layer_decay=0.5)
    groups = {id(parameter): group for group in optimizer.param_groups for parameter in group["params"]}
    assert len(groups) == len(list(model.parameters()))
    own = {name: groups[id(parameter)] for name, parameter in model.named_parameters()}
    assert {own[name]["weight_decay"] for name in tables} == {0}
    assert own["stages.0.blocks.1.mix.weight"]["weight_decay"] == 0.05
    # stem, 2 blocks with the norm behind them, 2 blocks of the second stage, head
    assert own["stem.conv1.weight"]["lr_scale"] == 0.5**5
    assert own["stages.0.norm.0.norm.weight"]["lr_scale"] == own["stages.0.blocks.1.mix.bias"]["lr_scale"] == 0.5**3
    assert own["stages.1.downsample.norm.weight"]["lr_scale"] == own["stages.1.blocks.0.mix.bias"]["lr_scale"]
    assert own["head.fc.weight"]["lr_scale"] == 1


def test_a_pruned_model_gets_a_new_head(registered: str) -> None:
    model = timm.create_model(registered).eval()
    image = torch.randn(2, 4, 64, 96)
    assert model.prune_intermediate_layers([0]) == [0]
    assert model(image).shape == (2, 8, 16, 24)
    model.reset_classifier(0)
    with pytest.raises(SpecError, match="this model has no head"):
        model.get_classifier()
    with pytest.raises(SpecError, match="'mean' is no pooling"):
        model.reset_classifier(9, "mean")
    assert model.num_classes == 0
    assert model(image).shape == (2, 8, 16, 24)
    model.reset_classifier(9)
    assert model(image).shape == (2, 9)
    twin = hiri_spec.build(model.spec).eval()
    twin.load_state_dict(model.state_dict())
    torch.testing.assert_close(twin(image), model(image))


def test_pruning_keeps_what_is_asked_for(registered: str) -> None:
    model = timm.create_model(registered).eval()
    image = torch.randn(2, 4, 64, 96)
    last = model.forward_features(image)
    model.prune_intermediate_layers(1, prune_head=False, prune_norm=True)
    torch.testing.assert_close(model.get_classifier()(last.mean((-2, -1))), model(image))
    model = timm.create_model(registered).eval()
    last = model.forward_features(image)
    model.prune_intermediate_layers(1, prune_norm=False)
    torch.testing.assert_close(model(image), model.head.norm(last))
    assert model.global_pool == ""


def test_set_input_size(registered: str) -> None:
    model = timm.create_model(registered)
    model.set_input_size((96, 128))
    assert model.spec.resolution == (96, 128)
    assert resolve_model_data_config(model)["input_size"] == (4, 96, 128)
    assert model.pretrained_cfg["pool_size"] == (12, 16)
    model.set_input_size(64)
    assert model.spec.resolution == 64
    assert get_pretrained_cfg(registered).input_size == (4, 64, 96)
    with pytest.raises(SpecError, match="10x10 is too small"):
        model.set_input_size(10)
    assert model.spec.resolution == 64
