"""torchvision's detectors on our backbones: they learn, they answer, and they are torchvision's to the number."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from dense_scenes import CLASSES, emptied, hastened, learn, networks, scenes_for, task_of, tiny_under, without_gradient
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN, RetinaNet

from hiri_spec.errors import SpecError
from hiri_spec.tasks.assembly import assemble
from hiri_spec.tasks.hosts.torchvision_host import MOST_FOUND, as_images, describe, paste
from hiri_spec.tasks.hosts.torchvision_pyramid import Anchors, level_strides
from hiri_spec.tasks.model import DenseModel
from hiri_spec.tasks.padding import join
from hiri_spec.tasks.scenes import Found, Objects, PixelClasses

HEADS = ("retinanet", "mask_rcnn")
LOSSES = {
    "retinanet": {"classification", "bbox_regression"},
    "mask_rcnn": {"loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg", "loss_mask"},
}


def answers_of(model: DenseModel, images: list[Tensor]) -> list[Found]:
    """What is found, of random weights too."""
    if hasattr(model, "detector"):
        model.detector.score_thresh = 0.0
    with torch.no_grad():
        return model.eval()(images)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("network", ["tiny", "pvt_v2", "timm", "scaled_up"])
def test_every_parameter_learns_with_objects_and_without(head: str, network: str) -> None:
    torch.manual_seed(0)
    model = hastened(assemble(networks()[network], task_of(head)))
    images, (first, second) = scenes_for(model)
    for targets in ([first, second], [emptied(first), second], [emptied(first), emptied(second)]):
        losses = learn(model, images, targets)
        assert losses.keys() == LOSSES[head]
        assert all(loss.isfinite() and loss.ndim == 0 for loss in losses.values())
        assert not without_gradient(model)


@pytest.mark.parametrize("head", HEADS)
def test_answers_are_in_the_pixels_of_each_image(head: str) -> None:
    model = tiny_under(head)
    images, _ = scenes_for(model)
    answers = answers_of(model, images)
    assert len(answers) == 2
    for found, image in zip(answers, images, strict=True):
        height, width = image.shape[-2:]
        assert 0 < len(found.boxes) <= MOST_FOUND
        assert found.boxes.shape == (len(found.scores), 4)
        assert (found.boxes >= 0).all()
        assert (found.boxes[:, 0::2] <= width).all()
        assert (found.boxes[:, 1::2] <= height).all()
        assert (found.scores.diff() <= 0).all()
        assert set(found.labels.tolist()) <= set(range(CLASSES))
        if head == "retinanet":
            assert found.masks is None
        else:
            assert found.masks is not None
            assert found.masks.dtype == torch.bool
            assert found.masks.shape == (len(found.scores), height, width)


@pytest.mark.parametrize("head", HEADS)
def test_labels_count_from_0(head: str) -> None:
    model = tiny_under(head)
    wanted = 2
    if head == "retinanet":
        bias = model.detector.head.classification_head.cls_logits.bias
        offset = 0
    else:
        bias = model.roi_heads.box_predictor.cls_score.bias
        offset = 1
    with torch.no_grad():
        bias.view(-1, CLASSES + offset)[:, wanted + offset] += 5
    images, targets = scenes_for(model)
    found = answers_of(model, images)[0]
    assert set(found.labels[:10].tolist()) == {wanted}
    name = "classification" if head == "retinanet" else "loss_classifier"
    losses = [
        learn(model, images, [replace(target, labels=torch.full_like(target.labels, label)) for target in targets])
        for label in range(CLASSES)
    ]
    assert min(range(CLASSES), key=lambda label: float(losses[label][name].detach())) == wanted


@pytest.mark.parametrize("head", HEADS)
def test_bfloat16_loses_no_coordinates(head: str) -> None:
    model = tiny_under(head)
    images, targets = scenes_for(model)
    exact = learn(model, images, targets)
    with torch.autocast("cpu", torch.bfloat16):
        rough = learn(model, images, targets)
        answers = answers_of(model, images)
    assert not without_gradient(model)
    for name, value in rough.items():
        assert value.dtype == torch.float32
        assert float(value.detach()) == pytest.approx(float(exact[name].detach()), rel=0.1, abs=0.02)
    assert all(found.boxes.dtype == found.scores.dtype == torch.float32 for found in answers)


@pytest.mark.parametrize("head", HEADS)
def test_a_seed_repeats_and_copies_are_equal(head: str) -> None:
    models = [tiny_under(head), tiny_under(head)]
    images, targets = scenes_for(models[0])
    models.append(copy.deepcopy(models[0]))
    losses = [learn(model, images, targets) for model in models]
    for name in LOSSES[head]:
        assert losses[0][name] == losses[1][name] == losses[2][name]
    torch.manual_seed(1)
    other = hastened(assemble(networks()["tiny"], task_of(head)))
    other.load_state_dict(models[0].state_dict())
    found, same = answers_of(models[0], images)[0], answers_of(other, images)[0]
    assert torch.equal(found.boxes, same.boxes)
    assert torch.equal(found.scores, same.scores)


class Whole(nn.Module):
    """Backbone and neck as torchvision has them: one module."""

    out_channels = 256

    def __init__(self, maps: nn.Module, neck: nn.Module) -> None:
        super().__init__()
        self.maps, self.neck = maps, neck

    def forward(self, x: Tensor) -> Any:
        return self.neck(self.maps(x))


@pytest.mark.parametrize("head", HEADS)
def test_it_is_torchvisions_own_where_strides_divide(head: str) -> None:
    model = tiny_under(head)
    side = 128
    images, targets = scenes_for(model, side)
    images, targets = images[:1], targets[:1]
    settings = {
        "min_size": side,
        "max_size": side,
        "image_mean": [0.0] * 3,
        "image_std": [1.0] * 3,
        "_skip_resize": True,
    }
    if head == "retinanet":
        theirs: nn.Module = RetinaNet(
            Whole(model.maps, model.detector.backbone), CLASSES, head=model.detector.head, **settings
        )
        theirs.detections_per_img, theirs.score_thresh = MOST_FOUND, 0.0
    else:
        theirs = hastened(MaskRCNN(Whole(model.maps, model.neck), CLASSES + 1, **settings))
        theirs.rpn.load_state_dict(model.rpn.state_dict())
        theirs.roi_heads.load_state_dict(model.roi_heads.state_dict())
    ours = learn(model, images, targets)
    pixels = list(join(images, side).pixels)
    has_masks = head == "mask_rcnn"
    described = [describe(target, first_label=int(has_masks), has_masks=has_masks) for target in targets]
    torch.manual_seed(0)
    expected = theirs.train()(pixels, described)
    assert ours.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(ours[name], value)
    found = answers_of(model, images)[0]
    with torch.no_grad():
        (answer,) = theirs.eval()(pixels)
    torch.testing.assert_close(found.boxes, answer["boxes"])
    torch.testing.assert_close(found.scores, answer["scores"])
    assert torch.equal(found.labels, answer["labels"] - int(head == "mask_rcnn"))
    if found.masks is not None:
        assert torch.equal(found.masks, answer["masks"][:, 0] > 0.5)


@pytest.mark.parametrize(
    ("head", "strides", "expected", "neck_convolutions"),
    [
        ("retinanet", None, (8, 16, 32, 64, 128), 1),
        ("retinanet", (8, 16, 32), (8, 16, 32, 64, 128), 2),
        ("retinanet", (16, 32), (16, 32, 64, 128), 2),
        ("retinanet", (4, 8, 16, 32, 64), (4, 8, 16, 32, 64, 128), 1),
        ("mask_rcnn", None, (4, 8, 16, 32, 64), 0),
        ("mask_rcnn", (4, 8, 16, 32), (4, 8, 16, 32, 64), 0),
        ("mask_rcnn", (8, 16), (8, 16, 32, 64), 0),
    ],
)
def test_the_neck_adds_only_levels_beyond_the_maps(
    head: str, strides: tuple[int, ...] | None, expected: tuple[int, ...], neck_convolutions: int
) -> None:
    model = tiny_under(head, strides=strides)
    assert level_strides(model.task, model.maps) == expected
    neck = model.detector.backbone if head == "retinanet" else model.neck
    assert sum(isinstance(module, nn.Conv2d) for module in neck.fpn.extra_blocks.modules()) == neck_convolutions
    levels = neck(model.maps(torch.rand(1, 3, 128, 192)))
    assert [tuple(level.shape[-2:]) for level in levels.values()] == [
        (-(-128 // stride), -(-192 // stride)) for stride in expected
    ]
    images, targets = scenes_for(model)
    learn(model, images, targets)
    assert not without_gradient(model)


def test_anchors_stand_at_the_strides_of_rounded_up_levels_too() -> None:
    anchors = Anchors((8, 64), [[32], [256]])
    images, _ = scenes_for(tiny_under("retinanet"))
    batch = join(images, 8)  # 96 by 104 pixels: of stride 64, two by two cells
    levels = [torch.zeros(2, 4, 12, 13, dtype=torch.bfloat16), torch.zeros(2, 4, 2, 2, dtype=torch.bfloat16)]
    first, second = anchors(as_images(batch), levels)
    assert torch.equal(first, second)
    assert first.dtype == torch.float32
    assert len(first) == 3 * (12 * 13 + 4)
    centres = (first[-12:, :2] + first[-12:, 2:]) / 2
    assert centres.unique(dim=0).tolist() == [[0, 0], [0, 64], [64, 0], [64, 64]]
    assert (first[1] - torch.tensor([-16.0, -16, 16, 16])).abs().max() == 0


def test_regions_are_read_off_the_first_four_maps_by_their_true_strides() -> None:
    pooling = tiny_under("mask_rcnn").roi_heads.box_roi_pool
    assert pooling.featmap_names == ["0", "1", "2", "3"]
    assert pooling.scales == [1 / 4, 1 / 8, 1 / 16, 1 / 32]
    sides = torch.tensor([16.0, 112, 224, 448, 2000])
    boxes = torch.stack([torch.zeros(5), torch.zeros(5), sides, sides], dim=1)
    assert pooling.map_levels([boxes]).tolist() == [0, 1, 2, 3, 3]


def test_crowds_and_boxes_without_area_teach_nothing() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [5, 5, 5, 9], [0, 0, 20, 20]])
    masks = torch.ones(3, 30, 30, dtype=torch.bool)
    crowd = torch.tensor([False, False, True])
    taught = describe(
        Objects((30, 30), boxes, torch.tensor([0, 1, 2]), masks, is_crowd=crowd), first_label=1, has_masks=True
    )
    assert taught["boxes"].tolist() == [[0, 0, 10, 10]]
    assert taught["labels"].tolist() == [1]
    assert taught["masks"].shape == (1, 30, 30)


def test_masks_are_pasted_where_their_boxes_are() -> None:
    masks = torch.stack([torch.ones(1, 28, 28), torch.zeros(1, 28, 28)])
    boxes = torch.tensor([[10.0, 20, 40, 50], [0, 0, 60, 60]])
    pasted = paste(masks, boxes, (60, 70))
    assert pasted.shape == (2, 60, 70)
    assert pasted[0, 22:48, 12:38].all()
    assert pasted[0].sum() < 33**2
    assert not pasted[1].any()
    assert paste(masks[:0], boxes[:0], (60, 70)).shape == (0, 60, 70)


def test_what_is_no_target_is_told() -> None:
    model = tiny_under("mask_rcnn").train()
    images, targets = scenes_for(model)
    with pytest.raises(SpecError, match="a detector learns Objects; a map of classes is for upernet"):
        model(images, [PixelClasses(torch.zeros(90, 90, dtype=torch.long))] * 2)
    with pytest.raises(SpecError, match="mask_rcnn learns masks, and there are none"):
        model(images, [replace(target, masks=None) for target in targets])


def test_the_wrong_mode_is_told() -> None:
    model = tiny_under("mask_rcnn").train()
    images, targets = scenes_for(model)
    with pytest.raises(SpecError, match=r"call eval\(\) before it answers"):
        model(images)
    with pytest.raises(SpecError, match=r"call train\(\) before it learns"):
        model.eval()(images, targets)
