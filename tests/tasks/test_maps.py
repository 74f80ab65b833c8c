"""Backbones without their heads: which maps they give, and what their batch norms do."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hiri_spec import SpecError
from hiri_spec.files import as_spec, load, to_data
from hiri_spec.schema import ModelSpec
from hiri_spec.tasks.maps import make_maps
from hiri_spec.tasks.task import Task


def network(name: str) -> ModelSpec | str:
    return name.removeprefix("timm:") if name.startswith("timm:") else load(name)


@pytest.mark.parametrize(
    ("name", "head", "strides", "left_out"),
    [
        ("tiny", "atss", (8, 16, 32, 64), ()),
        ("tiny", "upernet", (4, 8, 16, 32), (64,)),
        ("pvt_v2_b0", "mask_rcnn", (4, 8, 16, 32), ()),
        ("hrnet_w18", "upernet", (4, 8, 16, 32), ()),
        ("timm:resnet18", "retinanet", (8, 16, 32), ()),
    ],
)
def test_maps_have_the_strides_and_channels_that_they_say(
    name: str, head: str, strides: tuple[int, ...], left_out: tuple[int, ...]
) -> None:
    maps = make_maps(network(name), Task(head=head))
    assert (maps.strides, maps.left_out) == (strides, left_out)
    found = maps.eval()(torch.zeros(1, 3, 128, 64))
    assert [tuple(each.shape[1:]) for each in found] == [
        (channels, 128 // stride, 64 // stride) for channels, stride in zip(maps.channels, strides, strict=True)
    ]


def test_the_last_map_of_a_stride_is_taken() -> None:
    """Stages that don't halve the map go on with it; those before the last of them are not the stride's."""
    more = {"block": "transformer", "depth": 1, "width": 128, "heads": 4, "name": "more"}
    spec = load("tiny")
    stages = [*to_data(spec)["stages"], more]
    six = as_spec({**to_data(spec), "stages": stages})
    maps = make_maps(six, Task(head="atss"))
    assert (maps.strides, maps.left_out) == ((8, 16, 32, 64), ())
    assert any(name.startswith("network.stages.5.") for name, _ in maps.named_parameters())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("swin_tiny_patch4_window7_224", r"timm's swin_\w+ (doesn't take images of any size|gives a map of)"),
        ("no_such", r"network: timm's no_such gives no maps: Unknown model .*; use another"),
    ],
)
def test_timm_models_that_no_detector_can_use(name: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        make_maps(name, Task(head="mask_rcnn"))


def test_grey_networks_are_told() -> None:
    with pytest.raises(SpecError, match=r"in_channels: 1 is not 3, and detection and segmentation read colour images"):
        make_maps(as_spec("tiny", set={"in_channels": 1}), Task(head="atss"))


def test_every_parameter_gets_a_gradient() -> None:
    """Stages that feed nothing are gone, as processes that share gradients would wait for theirs."""
    maps = make_maps(load("tiny"), Task(head="upernet"))
    sum(each.sum() for each in maps(torch.rand(2, 3, 64, 64))).backward()
    assert [name for name, parameter in maps.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("strides", [(8, 16, 32), (4, 8), (16, 32)], ids=str)
@pytest.mark.parametrize("name", ["hrnet_w18_small", "timm:hrnet_w18_small", "timm:resnet18", "pvt_v2_b0"])
def test_every_parameter_that_learns_gets_a_gradient(name: str, strides: tuple[int, ...]) -> None:
    """The ways to streams of HRNet's that nobody reads are still there, and learn nothing."""
    maps = make_maps(network(name), Task(head="retinanet", strides=strides))
    sum(each.sum() for each in maps(torch.rand(2, 3, 64, 64))).backward()
    learning = {name: parameter.grad for name, parameter in maps.named_parameters() if parameter.requires_grad}
    assert [name for name, gradient in learning.items() if gradient is None] == []
    unread = {name for name, _ in maps.named_parameters()} - learning.keys()
    assert bool(unread) is ("hrnet" in name)
    assert all("fuse" in each or "downsamp_modules" in each or "incre_modules" in each for each in unread)


def test_frozen_norms_stay_as_they_are() -> None:
    maps = make_maps(load("tiny"), Task(head="atss", norms="frozen"))
    norms = [module for module in maps.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [norm.running_mean.clone() for norm in norms if norm.running_mean is not None]
    maps.train()
    sum(each.sum() for each in maps(torch.rand(2, 3, 64, 64))).backward()
    assert maps.training
    assert len(norms) == len(before) > 0
    assert all(
        torch.equal(norm.running_mean, mean) and norm.weight.grad is None
        for norm, mean in zip(norms, before, strict=True)
        if norm.running_mean is not None
    )


def test_synchronised_norms_are_torchs() -> None:
    maps = make_maps(load("tiny"), Task(head="atss", norms="synchronised"))
    assert any(isinstance(module, nn.SyncBatchNorm) for module in maps.modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in maps.modules())


def test_timm_models_without_maps_are_told() -> None:
    with pytest.raises(SpecError, match=r"atss reads maps of stride 8, 16, 32, and mixer_s32_224 has those of 32"):
        make_maps("mixer_s32_224", Task(head="atss"))
