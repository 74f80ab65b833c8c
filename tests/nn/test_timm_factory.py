"""timm's arguments on a spec's model: what each does, what is refused, and weights from files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import timm
import torch
from test_timm_weights import original
from timm.data import resolve_model_data_config
from torch import nn

import hiri_spec
from hiri_spec import SpecError

FACTORY = {
    "name": "factory",
    "resolution": 64,
    "stem": {"stem": "hr", "width": 8},
    "stages": [
        {"block": "hr", "depth": 1, "width": 8},
        {"block": "transformer", "depth": 2, "width": 16, "heads": 2, "downsample": "irds_b"},
    ],
    "head": {"classes": 10, "norm": "layer", "pool_first": True},
}
IMAGE = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True, scope="module")
def registered() -> None:
    hiri_spec.register(FACTORY)


def create(**options: Any) -> Any:
    torch.manual_seed(0)
    return timm.create_model(options.pop("name", "factory"), **options).eval()


def test_values_of_the_spec() -> None:
    model = create(num_classes=3, in_chans=5, img_size=(64, 96), drop_rate=0.25, drop_path_rate=0.5)
    assert (model.num_classes, model.in_chans) == (3, 5)
    assert model(torch.randn(2, 5, 64, 96)).shape == (2, 3)
    assert model.spec.resolution == (64, 96)
    assert resolve_model_data_config(model)["input_size"] == (3, 64, 96)
    assert timm.models.get_model_input_config(model)["input_size"] == (5, 64, 96)
    assert model.pretrained_cfg["pool_size"] == (8, 12)
    assert model.head.dropout.p == 0.25
    assert [m.drop_prob for n, m in model.named_modules() if n.endswith("drop_path")] == pytest.approx(
        [0, 0.25, 0.25, 0.5, 0.5]
    )


def test_nothing_given_is_the_spec_itself() -> None:
    model = create()
    assert model.spec == hiri_spec.build(FACTORY).spec
    assert create(num_classes=None, img_size=None).num_classes == 10


def test_device_and_type() -> None:
    model = create(device="meta", dtype=torch.bfloat16)
    assert {(p.device.type, p.dtype) for p in model.parameters()} == {("meta", torch.bfloat16)}


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_pooling(norm: str) -> None:
    head = {"classes": 10, "norm": norm, "pool_first": norm == "layer"}
    name = hiri_spec.register({**FACTORY, "head": head}, f"pooling_{norm}")
    mean, largest, none = (create(name=name, global_pool=pooling) for pooling in ("avg", "max", ""))
    for model in (largest, none):
        model.load_state_dict(mean.state_dict())
    with torch.no_grad():
        features, scores = mean.forward_features(IMAGE), none(IMAGE)
        assert scores.shape == (2, 10, 8, 12)
        assert none.forward_head(features, pre_logits=True).shape == features.shape
        if norm == "batch":  # a norm in evaluation and the classifier are linear: so the mean may come last
            torch.testing.assert_close(scores.mean((-2, -1)), mean(IMAGE))
            peaks = mean.head.norm(features).amax((-2, -1))
        else:
            peaks = mean.head.norm(features.amax((-2, -1)))
        torch.testing.assert_close(largest(IMAGE), mean.head.fc(peaks))


@pytest.mark.parametrize("name", ["spec_hrnet_w18_small", "spec_davit_tiny"])
@pytest.mark.parametrize("pooling", ["max", ""])
def test_pooling_equals_timms(name: str, pooling: str) -> None:
    theirs = original(name.removeprefix("spec_"))
    ours = hiri_spec.build(name.removeprefix("spec_")).eval()
    hiri_spec.load_timm_weights(ours, theirs.state_dict())
    ours.reset_classifier(0, pooling)
    theirs.reset_classifier(0, pooling)
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(ours(image), theirs(image), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(
            ours.forward_head(ours.forward_features(image), pre_logits=True),
            theirs.forward_head(theirs.forward_features(image), pre_logits=True),
            rtol=1e-4,
            atol=1e-4,
        )


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"foo": 1}, "foo: factory takes no such argument; known: device, "),
        ({"num_clases": 3}, "num_clases: factory takes no such argument; did you mean 'num_classes'"),
        ({"num_classes": -1}, "num_classes: -1 is too small"),
        ({"num_classes": "ten"}, "num_classes: 'ten' is not a whole number"),
        ({"in_chans": 0}, "in_chans: 0 is too small; use 1 or more"),
        ({"img_size": 10}, "img_size: 10 is too small; use 32 or more a side"),
        ({"img_size": "large"}, "img_size: 'large' is no image size"),
        ({"drop_rate": 1.5}, "drop_rate: 1.5 is too large; use less than 1"),
        ({"drop_path_rate": -0.1}, "drop_path_rate: -0.1 is too small"),
        ({"global_pool": "mx"}, "global_pool: 'mx' is no pooling; use 'avg', 'max', or ''"),
        ({"features_only": True, "out_indices": (0, 2)}, r"out_indices: \(0, 2\) does not fit 2 stages; .* 0 to 1"),
        ({"features_only": True, "out_indices": "all"}, "out_indices: 'all' does not fit 2 stages"),
        ({"features_only": True, "out_indices": 0.5}, "out_indices: 0.5 does not fit 2 stages"),
        ({"features_only": True, "out_indices": True}, "out_indices: .*rue does not fit 2 stages"),
        ({"features_only": True, "feature_cls": 3}, "feature_cls: 3 is no feature class"),
        ({"features_only": True, "feature_cls": "lst"}, "feature_cls: 'lst' is no feature class; did you mean 'list'"),
        ({"out_indices": (0,)}, "out_indices: only a model created with features_only=True has it"),
        ({"pretrained": True}, "pretrained: no weights of factory are published; use pretrained=False"),
    ],
    ids=lambda value: "-".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_what_is_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(SpecError, match=match):
        create(**options)


@pytest.mark.parametrize("classes", [-1, 2.5, "3", None, True], ids=str)
def test_no_number_of_classes(classes: Any) -> None:
    model = create()
    with pytest.raises(SpecError, match=r"num_classes: .* is no number of classes; use a whole one, 0 for none"):
        model.reset_classifier(classes, "max")
    assert model.global_pool == "avg"


# weights


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_checkpoint_path(suffix: str, tmp_path: Path) -> None:
    model = create()
    path = tmp_path / f"weights.{suffix}"
    save = safetensors.torch.save_file if suffix == "safetensors" else torch.save
    save(model.state_dict(), path)
    torch.manual_seed(1)
    torch.testing.assert_close(timm.create_model("factory", checkpoint_path=path).eval()(IMAGE), model(IMAGE))
    with pytest.raises(RuntimeError, match=r"size mismatch for head\.fc\.weight"):
        create(num_classes=3, checkpoint_path=path)


def test_ones_own_file_as_pretrained(tmp_path: Path) -> None:
    model = create()
    torch.save(model.state_dict(), tmp_path / "weights.pth")
    overlay = {"file": str(tmp_path / "weights.pth")}
    torch.manual_seed(1)
    other = timm.create_model(
        "factory", pretrained=True, pretrained_cfg_overlay=overlay, num_classes=3, in_chans=1, img_size=96
    ).eval()
    torch.testing.assert_close(other.stem.conv.weight, model.stem.conv.weight.sum(1, keepdim=True))
    torch.testing.assert_close(other.stages.state_dict(), model.stages.state_dict())
    assert other(torch.randn(1, 1, 96, 96)).shape == (1, 3)
    maps = create(pretrained=True, pretrained_cfg_overlay=overlay, features_only=True)
    with torch.no_grad():
        torch.testing.assert_close(maps(IMAGE), model.forward_intermediates(IMAGE, intermediates_only=True))


def test_to_a_folder_and_back_with_timms_own_functions(tmp_path: Path) -> None:
    model = create(num_classes=3, img_size=64, global_pool="max", in_chans=2)
    model.set_input_size((96, 64))
    timm.models.save_for_hf(model, tmp_path, safe_serialization=True)
    torch.manual_seed(1)
    back = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    image = torch.randn(2, 2, 96, 64)
    torch.testing.assert_close(back(image), model(image))
    assert back.spec == model.spec
    assert resolve_model_data_config(back)["input_size"] == (2, 96, 64)


def twin_and_file(name: str, folder: Path, rename: Any = None) -> tuple[nn.Module, dict[str, str]]:
    theirs = original(name)
    weights = theirs.state_dict()
    torch.save({rename(key): value for key, value in weights.items()} if rename else weights, folder / "theirs.pth")
    return theirs, {"file": str(folder / "theirs.pth")}


@pytest.mark.parametrize("name", ["pvt_v2_b0", "hrnet_w18_small", pytest.param("davit_tiny", marks=pytest.mark.slow)])
def test_a_twin_loads_weights_of_timms(name: str, tmp_path: Path) -> None:
    theirs, overlay = twin_and_file(name, tmp_path)
    ours = create(name=f"spec_{name}", pretrained=True, pretrained_cfg_overlay=overlay)
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(ours(image), theirs(image), rtol=1e-4, atol=1e-4)
        maps = create(name=f"spec_{name}", pretrained=True, pretrained_cfg_overlay=overlay, features_only=True)
        torch.testing.assert_close(maps(image), ours.forward_intermediates(image, intermediates_only=True))
    other = create(name=f"spec_{name}", pretrained=True, pretrained_cfg_overlay=overlay, num_classes=3, in_chans=1)
    torch.testing.assert_close(other.stages.state_dict(), ours.stages.state_dict())
    first = other.get_submodule(other.pretrained_cfg["first_conv"]).weight
    torch.testing.assert_close(
        first, ours.get_submodule(ours.pretrained_cfg["first_conv"]).weight.sum(1, keepdim=True), rtol=1e-4, atol=1e-6
    )


def test_a_twin_loads_weights_under_the_names_they_once_had(tmp_path: Path) -> None:
    def rename(name: str) -> str:
        name = re.sub(r"layers\.(\d)\.downsample", lambda match: f"layers.{int(match[1]) - 1}.downsample", name)
        return name.replace("head.fc.", "head.")

    name = "swin_tiny_patch4_window7_224"
    theirs, overlay = twin_and_file(name, tmp_path, rename)
    ours = create(name=f"spec_{name}", pretrained=True, pretrained_cfg_overlay=overlay, img_size=64)
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(ours(image), theirs(image), rtol=1e-4, atol=1e-4)
    torch.save(ours.state_dict(), tmp_path / "ours.pth")
    again = create(name=f"spec_{name}", pretrained=True, pretrained_cfg_overlay={"file": str(tmp_path / "ours.pth")})
    torch.testing.assert_close(again.state_dict(), ours.state_dict())
