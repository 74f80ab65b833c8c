"""A tuned model gives what its original gives, and says how each of its places was chosen."""

from __future__ import annotations

import copy

import pytest
import torch

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.nn.timing import Limits
from hiri_spec.nn.tuning import model as room
from hiri_spec.nn.tuning.joining import WAYS

NAMES = ["hiri_s", "pvt_v2_b0", "davit_tiny", "swin_tiny_patch4_window7_224", "hrnet_w18_small"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LIMITS", Limits(rounds=1))
    monkeypatch.setattr(room, "TURN_SECONDS", 0.0)


def randomised(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    model = hiri_spec.build(name, classes=10).eval()
    for key, tensor in model.state_dict().items():
        if key.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif key.endswith("running_mean"):
            tensor.normal_(0, 0.1)
    return model


@pytest.mark.parametrize("name", NAMES)
def test_equals_its_original(name: str) -> None:
    model = randomised(name)
    tuned = hiri_spec.tune(model, resolution=(64, 96), batch=2).model
    for images in (torch.randn(2, 3, 64, 96), torch.randn(1, 3, 70, 101)):
        with torch.no_grad():
            ours, theirs = tuned(images), model(images)
        assert float((ours - theirs).abs().max() / theirs.abs().max()) < 1e-5
    assert not any(parameter.requires_grad for parameter in tuned.parameters())
    assert not tuned.training


@pytest.mark.parametrize("way", [way.name for way in WAYS])
def test_any_way_may_be_chosen(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "choose", lambda depths, times, entries: [way] * len(depths))
    model = randomised("hiri_s")
    found = hiri_spec.tune(model, resolution=64)
    assert {each.chosen for each in found.choices} == {way}
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = model(images)
        for tuned in (found.model, copy.deepcopy(found.model)):
            assert float((tuned(images) - expected).abs().max() / expected.abs().max()) < 1e-5


def test_choices() -> None:
    heard: list[str] = []
    model = randomised("hiri_s")
    before = str(model)
    found = hiri_spec.tune(model, resolution=64, tell=heard.append)
    places = [each.place for each in found.choices]
    assert places[:3] == ["stem", "stages.0.blocks", "stages.1.downsample"]
    assert heard == places
    assert [each.depth for each in found.choices if "blocks" in each.place] == [
        run.depth for stage in model.spec.stages for run in stage
    ]
    for each in found.choices:
        assert each.chosen in each.times_ms
        assert all(milliseconds > 0 for milliseconds in each.times_ms.values())
        assert set(each.as_dict()) == {"place", "depth", "chosen", "times_ms"}
    assert str(model) == before


def test_feature_maps() -> None:
    torch.manual_seed(0)
    model = hiri_spec.build("hiri_s", features_only=True).eval()
    tuned = hiri_spec.tune(model, resolution=64).model
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for ours, theirs in zip(tuned(images), model(images), strict=True):
            assert float((ours - theirs).abs().max() / theirs.abs().max()) < 1e-5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch": 0}, "batch: 0 is no number of images; use 1 or more"),
        ({"batch": 1.5}, "batch: 1.5 is no number of images"),
        ({"resolution": 16}, "resolution: .*16"),
    ],
    ids=["none", "half", "small"],
)
def test_mistakes(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        hiri_spec.tune(hiri_spec.build("pvt_v2_b0"), **arguments)
