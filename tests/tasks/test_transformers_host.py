"""transformers' UPerNet on our backbones: it learns, it answers, and it is transformers' to the number."""

from __future__ import annotations

import copy
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from dense_scenes import CLASSES, SIDE, learn, networks, scenes_for, task_of, tiny_under, without_gradient
from torch import Tensor, nn
from transformers import ResNetConfig, UperNetConfig, UperNetForSemanticSegmentation

from hiri_spec.errors import SpecError
from hiri_spec.tasks.assembly import assemble
from hiri_spec.tasks.hosts.transformers_host import PatientBatchNorm, join_classes, pixel_loss
from hiri_spec.tasks.padding import join
from hiri_spec.tasks.scenes import IGNORED, Objects, PixelClasses


@pytest.mark.parametrize("network", ["tiny", "pvt_v2", "timm", "scaled_up"])
def test_every_parameter_learns_with_classes_and_without(network: str) -> None:
    torch.manual_seed(0)
    model = assemble(networks()[network], task_of("upernet"))
    images, targets = scenes_for(model)
    nobody_says = [PixelClasses(torch.full_like(target.classes, IGNORED)) for target in targets]
    for taught in (targets, [nobody_says[0], targets[1]], nobody_says):
        losses = learn(model, images, taught)
        assert losses.keys() == {"loss", "loss_auxiliary"}
        assert all(loss.isfinite() and loss.ndim == 0 for loss in losses.values())
        assert not without_gradient(model)
    assert losses == {"loss": 0, "loss_auxiliary": 0}


@pytest.mark.parametrize("side", [SIDE, 32], ids=["usual", "maps of one pixel"])
def test_one_image_is_enough_to_learn_from(side: int) -> None:
    model = tiny_under("upernet", norms="frozen")
    images, targets = scenes_for(model, side)
    losses = learn(model, images[:1], targets[:1])
    assert all(loss.isfinite() for loss in losses.values())
    assert not without_gradient(model)


def test_a_norm_of_one_value_a_channel_takes_the_running_statistics() -> None:
    patient, usual = PatientBatchNorm(4), nn.BatchNorm2d(4)
    torch.manual_seed(0)
    several, one = torch.randn(2, 4, 3, 3) + 1, torch.randn(1, 4, 1, 1)
    assert torch.equal(patient(several), usual(several))
    mean = patient.running_mean.clone()
    assert torch.equal(patient(one), usual.eval()(one))
    assert torch.equal(patient.running_mean, mean)
    assert torch.equal(patient.running_mean, usual.running_mean)


def test_answers_are_maps_of_each_images_size() -> None:
    model = tiny_under("upernet").eval()
    images, _ = scenes_for(model)
    with torch.no_grad():
        answers = model(images)
    assert [tuple(answer.classes.shape) for answer in answers] == [tuple(image.shape[-2:]) for image in images]
    assert all(answer.classes.dtype == torch.long for answer in answers)
    assert set(torch.cat([answer.classes.flatten() for answer in answers]).tolist()) <= set(range(CLASSES))


def test_bfloat16_learns_about_the_same() -> None:
    model = tiny_under("upernet")
    images, targets = scenes_for(model)
    exact = learn(model, images, targets)
    with torch.autocast("cpu", torch.bfloat16):
        rough = learn(model, images, targets)
    assert not without_gradient(model)
    for name, value in rough.items():
        assert value.dtype == torch.float32
        assert float(value.detach()) == pytest.approx(float(exact[name].detach()), rel=0.05)


def test_a_seed_repeats_and_copies_are_equal() -> None:
    models = [tiny_under("upernet"), tiny_under("upernet")]
    images, targets = scenes_for(models[0])
    models.append(copy.deepcopy(models[0]))
    first, second, third = (learn(model, images, targets) for model in models)
    assert first == second == third
    torch.manual_seed(1)
    other = assemble(networks()["tiny"], task_of("upernet"))
    other.load_state_dict(models[0].state_dict())
    with torch.no_grad():
        found, same = models[0].eval()(images), other.eval()(images)
    assert all(torch.equal(one.classes, two.classes) for one, two in zip(found, same, strict=True))


class Shim(nn.Module):
    """Our maps as transformers asks a backbone for them."""

    def __init__(self, maps: nn.Module) -> None:
        super().__init__()
        self.maps = maps

    def forward_with_filtered_kwargs(self, pixels: Tensor, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(feature_maps=self.maps(pixels), hidden_states=None, attentions=None)


def test_it_is_transformers_own(no_network: None) -> None:
    model = tiny_under("upernet")
    backbone = ResNetConfig(hidden_sizes=[8] * 4, embedding_size=8, depths=[1] * 4, out_features=["stage1", "stage2"])
    config = UperNetConfig(
        backbone_config=backbone, num_labels=CLASSES, auxiliary_in_channels=8, auxiliary_loss_weight=0.4
    )
    theirs = UperNetForSemanticSegmentation(config)
    theirs.backbone = Shim(model.maps)
    theirs.decode_head, theirs.auxiliary_head = model.heads.decode_head, model.heads.auxiliary_head
    images, targets = scenes_for(model)
    batch = join(images, model.divisor)
    losses = model.eval()(images, targets)
    expected = theirs.eval()(batch.pixels, labels=join_classes(targets, batch.size))
    torch.testing.assert_close(losses["loss"] + losses["loss_auxiliary"], expected.loss)
    answers = model(images)
    classes = expected.logits.argmax(dim=1)
    assert torch.equal(answers[0].classes, classes[0, :SIDE, :SIDE])


def test_weights_begin_as_transformers_has_them() -> None:
    heads = tiny_under("upernet").heads
    for name, module in heads.named_modules():
        if isinstance(module, nn.Conv2d):
            assert float(module.weight.detach().std()) == pytest.approx(0.02, rel=0.15), name
            assert module.bias is None or not module.bias.any()


@pytest.mark.parametrize(
    ("strides", "index"), [(None, 2), ((4, 8, 16, 32, 64), 2), ((8, 16, 32), 1), ((4, 8), 0), ((32, 64), 0)]
)
def test_the_auxiliary_head_reads_the_map_of_stride_16(strides: tuple[int, ...] | None, index: int) -> None:
    model = tiny_under("upernet", strides=strides)
    head = model.heads.auxiliary_head
    assert head.in_index == index
    assert head.convs[0].conv.in_channels == model.maps.channels[index]
    images, targets = scenes_for(model)
    learn(model, images, targets)
    assert not without_gradient(model)


def test_padding_has_no_class() -> None:
    joined = join_classes([PixelClasses(torch.ones(2, 3, dtype=torch.uint8)), PixelClasses(torch.zeros(1, 4))], (2, 4))
    none = IGNORED
    assert joined.tolist() == [[[1, 1, 1, none], [1, 1, 1, none]], [[0, 0, 0, 0], [none, none, none, none]]]


def test_the_loss_is_the_mean_of_the_pixels_that_have_a_class() -> None:
    torch.manual_seed(0)
    scores = torch.randn(2, CLASSES, 4, 4)
    classes = torch.randint(CLASSES, (2, 4, 4))
    classes[0, :2] = IGNORED
    expected = nn.functional.cross_entropy(scores, classes, ignore_index=IGNORED)
    torch.testing.assert_close(pixel_loss(scores, classes), expected)


def test_what_it_cannot_learn_is_told() -> None:
    model = tiny_under("upernet")
    images, _ = scenes_for(model)
    objects = Objects((SIDE, SIDE), torch.zeros(0, 4), torch.zeros(0, dtype=torch.long))
    with pytest.raises(SpecError, match="upernet learns PixelClasses; Objects are for detectors"):
        model(images, [objects, objects])
    with pytest.raises(SpecError, match="256 classes are too many: the number 255 stands for none"):
        tiny_under("upernet", classes=256)


def test_importing_it_says_nothing() -> None:
    code = "import hiri_spec.tasks.hosts.transformers_host"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout + told.stderr == ""
