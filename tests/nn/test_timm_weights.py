"""The other families equal their timm originals, number for number, with the same weights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import timm
import torch
from contract import count_params, count_with_fvcore
from torch import nn

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.nn.timm_weights import recognise_timm_weights

SMALL = ["pvt_v2_b0", "pvt_v2_b1", "pvt_v2_b2_li", "davit_tiny", "swin_tiny_patch4_window7_224", "hrnet_w18_small"]
LARGE = [
    "pvt_v2_b2",
    "pvt_v2_b3",
    "pvt_v2_b4",
    "pvt_v2_b5",
    "hrnet_w18",
    "hrnet_w32",
    "hrnet_w48",
    "davit_small",
    "davit_base",
    "swin_small_patch4_window7_224",
    "swin_base_patch4_window7_224",
]
NAMES = [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]
SIZES = [pytest.param((224, 224), id="224"), pytest.param((256, 320), id="256x320")]


def original(name: str, size: tuple[int, int] = (224, 224)) -> nn.Module:
    """timm's model with weights that differ from layer to layer, norms and biases included."""
    options = {"img_size": size} if name.startswith("swin") else {}
    torch.manual_seed(0)
    model = timm.create_model(name, **options).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.01)
        for buffer_name, buffer in model.named_buffers():
            if buffer_name.endswith(("running_mean", "running_var")):
                buffer.add_(torch.rand_like(buffer), alpha=0.1)
    return model


@pytest.fixture(autouse=True)
def one_model_at_a_time() -> Iterator[None]:
    yield
    torch.compiler.reset()


LARGER = [
    pytest.param("swin_base_patch4_window12_384", size, marks=pytest.mark.slow, id=f"window12-{size[0]}x{size[1]}")
    for size in ((384, 384), (384, 480))
]


@pytest.mark.parametrize(("name", "size"), LARGER)
def test_windows_of_twelve_equal_timms(name: str, size: tuple[int, int]) -> None:
    check_against_timm(name, size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_outputs_params_and_macs_equal_timms(name: str, size: tuple[int, int]) -> None:
    check_against_timm(name, size)


def check_against_timm(name: str, size: tuple[int, int]) -> None:
    theirs, ours = original(name, size), hiri_spec.build(name).eval()
    hiri_spec.load_timm_weights(ours, theirs.state_dict())
    cost = hiri_spec.cost(name, size)
    assert cost.params == count_params(ours) == count_params(theirs)
    image = torch.randn(1, 3, *size)
    assert cost.macs == count_with_fvcore(ours, image) == count_with_fvcore(theirs, image)
    with torch.no_grad():
        assert distance(ours(image), theirs(image)) < 1e-5
        ours.double(), theirs.double()
        assert distance(ours(image.double()), theirs(image.double())) < 1e-10


def distance(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest difference, over the largest value: random weights give scores of any size."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


@pytest.mark.parametrize("name", ["pvt_v2_b0", "davit_tiny", "swin_tiny_patch4_window7_224"])
def test_features_equal_timms(name: str) -> None:
    theirs, ours = original(name), hiri_spec.build(name).eval()
    hiri_spec.load_timm_weights(ours, theirs.state_dict())
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        maps = theirs.forward_intermediates(image, intermediates_only=True)
        for own, their in zip(ours.forward_intermediates(image, intermediates_only=True), maps, strict=True):
            torch.testing.assert_close(own, their, rtol=1e-4, atol=1e-4)


def test_streams_are_hrnets_features() -> None:
    ours = hiri_spec.build("hrnet_w18_small", features_only=True).eval()
    assert ours.feature_info.channels() == [16, 32, 64, 128]
    assert ours.feature_info.reduction() == [4, 8, 16, 32]
    with torch.no_grad():
        maps = ours(torch.randn(1, 3, 70, 100))
    assert [tuple(each.shape[1:]) for each in maps] == [(16, 18, 25), (32, 9, 13), (64, 5, 7), (128, 3, 4)]


@pytest.mark.parametrize("name", ["pvt_v2_b0", "davit_tiny", "swin_tiny_patch4_window7_224", "hrnet_w18_small"])
@pytest.mark.parametrize("size", [(32, 32), (97, 130)], ids=["32", "97x130"])
def test_any_size_goes_through(name: str, size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert hiri_spec.build(name).eval()(torch.randn(1, 3, *size)).shape == (1, 1000)


def test_nothing_is_half_loaded() -> None:
    weights = original("pvt_v2_b0").state_dict()
    del weights["stages.0.blocks.0.attn.q.weight"]
    weights["head.weight"] = torch.zeros(7, 256)
    weights["more"] = torch.zeros(1)
    ours = hiri_spec.build("pvt_v2_b0")
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    with pytest.raises(SpecError, match=r"read as PVTv2; build the spec of the same name") as caught:
        hiri_spec.load_timm_weights(ours, weights)
    told = str(caught.value)
    assert (
        "stages.0.blocks.0.attention.query.weight: missing from the state dict: timm's stages.0.blocks.0.attn.q" in told
    )
    assert "head.fc.weight: of another shape: (1000, 256, 1, 1)" not in told
    assert "head.fc.weight: of another shape: (1000, 256) here, (7, 256) there, taken from timm's head.weight" in told
    assert "more: not in the model" in told
    assert all(torch.equal(tensor, before[name]) for name, tensor in ours.state_dict().items())


@pytest.mark.parametrize(
    ("name", "key", "value", "message"),
    [
        (
            "pvt_v2_b0",
            "stages.0.blocks.0.attn.kv.weight",
            torch.tensor(1.0),
            r"\(\) there, taken from timm's",
        ),
        (
            "davit_tiny",
            "stages.0.blocks.0.0.attn.qkv.weight",
            torch.zeros(2, 96),
            r"attn.qkv.weight of \(2, 96\)",
        ),
        ("pvt_v2_b0", "head.weight", None, "not only tensors but head.weight"),
    ],
    ids=["scalar", "short", "none"],
)
def test_tensors_that_cannot_be_parted(name: str, key: str, value: torch.Tensor | None, message: str) -> None:
    weights = {**timm.create_model(name).state_dict(), key: value}
    with pytest.raises(SpecError, match=message):
        hiri_spec.load_timm_weights(hiri_spec.build(name), weights)


@pytest.mark.parametrize("name", ["pvt_v2_b0", "swin_tiny_patch4_window7_224", "davit_tiny", "hrnet_w18_small"])
def test_a_model_without_a_head_takes_none(name: str) -> None:
    weights = {f"module.{key}": value for key, value in timm.create_model(name).state_dict().items()}
    ours = hiri_spec.build(name, features_only=True)
    hiri_spec.load_timm_weights(ours, weights)
    theirs = hiri_spec.build(name)
    hiri_spec.load_timm_weights(theirs, weights)
    expected = theirs.state_dict()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in ours.state_dict().items())


def test_the_family_is_told_by_our_own_names() -> None:
    with pytest.raises(SpecError, match="read as HRNet"):
        hiri_spec.load_timm_weights(hiri_spec.build("hrnet_w18_small"), {"a": torch.zeros(1)})


def test_a_family_without_a_key_map() -> None:
    with pytest.raises(SpecError, match="missing from the state dict"):
        hiri_spec.load_timm_weights(hiri_spec.build("hiri_s", classes=3), {"a": torch.zeros(1)})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("pvt_v2_b0", {}),
        ("pvt_v2_b2_li", {"num_classes": 10}),
        ("swin_tiny_patch4_window7_224", {"in_chans": 1}),
        ("davit_tiny", {"num_classes": 0}),
        ("hrnet_w18_small", {"num_classes": 10, "in_chans": 1}),
    ],
    ids=["pvt", "of other depth", "grey", "no classes", "both"],
)
def test_whose_weights_they_are(name: str, options: dict[str, int]) -> None:
    theirs = timm.create_model(name, **options).state_dict()
    spec, tensors = recognise_timm_weights(theirs) or pytest.fail("not recognised")
    assert spec.name == name
    assert (spec.head.classes, spec.in_channels) == (options.get("num_classes") or 1000, options.get("in_chans", 3))
    ours = hiri_spec.build(spec, classes=options.get("num_classes"))
    hiri_spec.load_timm_weights(ours, theirs)
    own = ours.state_dict()
    assert own.keys() == tensors.keys()
    assert all(torch.equal(tensor, own[key]) for key, tensor in tensors.items())


def test_weights_of_no_built_in_spec() -> None:
    theirs = timm.create_model("pvt_v2_b0").state_dict()
    theirs["stages.3.blocks.1.mlp.fc1.weight"] = torch.zeros(8, 256)
    assert recognise_timm_weights(theirs) is None
    assert recognise_timm_weights(hiri_spec.build("pvt_v2_b0").state_dict()) is None
