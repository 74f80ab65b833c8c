"""Costs of whole models: against published figures, torchvision's own parameters, torch's counter, and by hand."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest
import torch
from dense_scenes import task_of, tiny_under
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.detection import (
    MaskRCNN_ResNet50_FPN_Weights,
    RetinaNet_ResNet50_FPN_Weights,
)
from torchvision.ops import deform_conv2d, nms, roi_align

import hiri_spec
from hiri_spec.errors import SpecError
from hiri_spec.tasks.cost import DenseCost, count_stages, dense_cost
from hiri_spec.tasks.counting import OWN_FORMULAS, WITHOUT_PRODUCTS, OperatorCounter, PartCount
from hiri_spec.tasks.maps import make_maps
from hiri_spec.tasks.task import read_task

COCO_SIZE, ADE_SIZE = (800, 1280), (512, 2048)
SWIN = "swin_tiny_patch4_window7_224"
BATCH_NORM_PARAMS = 53_120
"""Of a ResNet-50, which torchvision's frozen norms don't count."""


def cost_of(network: str, head: str, size: tuple[int, int], **fields: Any) -> DenseCost:
    """The cost of a spec, or of one of timm's models behind `timm:`."""
    return dense_cost(network, read_task({"head": head, **fields}), size)


@pytest.mark.parametrize(
    ("network", "head", "host", "params_m", "gmacs"),
    [
        # LocalMamba (arXiv 2403.09338), table of Mask R-CNN at 1x
        pytest.param("timm:resnet50", "mask_rcnn", "mmdet", 44, 260, id="mask_rcnn-resnet50"),
        pytest.param("timm:resnet50", "mask_rcnn", "torchvision", 44, 260, id="mask_rcnn-resnet50-torchvision"),
        pytest.param("timm:convnext_tiny", "mask_rcnn", "torchvision", 48, 262, id="mask_rcnn-convnext_tiny"),
        # the same, and the README of SwinTransformer/Swin-Transformer-Object-Detection; others have 264
        pytest.param(SWIN, "mask_rcnn", "torchvision", 48, 267, id="mask_rcnn-swin_tiny"),
        # RDNet (arXiv 2403.19588), table of Mask R-CNN at 1x; ViT-Adapter (2205.08534) has 45.0 M
        pytest.param("pvt_v2_b2", "mask_rcnn", "torchvision", 45.0, 309, id="mask_rcnn-pvt_v2_b2"),
        # mmdetection's documentation of its counter: 37.74 M (it leaves out 0.23 M that its configuration freezes)
        pytest.param("timm:resnet50", "retinanet", "mmdet", 37.74 + 0.23, 239.32, id="retinanet-resnet50"),
        # Swin (arXiv 2103.14030), table 2
        pytest.param("timm:resnet50", "atss", "mmdet", 32, 205, id="atss-resnet50"),
        pytest.param(SWIN, "atss", "mmdet", 36, 215, id="atss-swin_tiny"),
    ],
)
def test_published_figures_of_detectors(network: str, head: str, host: str, params_m: float, gmacs: float) -> None:
    """Published by mmcv's counter, which adds norms, activations, biases and pooling: up to half a percent."""
    own = cost_of(network, head, COCO_SIZE, host=host)
    assert own.macs / 1e9 == pytest.approx(gmacs, rel=0.005)
    assert own.params / 1e6 == pytest.approx(params_m, rel=0.012)


def test_the_published_figure_of_upernet() -> None:
    """60 M with the auxiliary head and 945 G for 512x2048 (Swin, arXiv 2103.14030, and its README)."""
    own = cost_of(SWIN, "upernet", ADE_SIZE, classes=150)
    assert own.macs / 1e9 == pytest.approx(945, rel=0.001)
    assert (own.params + own.training_params) / 1e6 == pytest.approx(60, rel=0.005)


def test_sparse_rcnn_is_published_without_its_attention() -> None:
    """166 G (Swin, arXiv 2103.14030, table 2) lack what is no module's own: dynamic convolutions and attention."""
    own = cost_of("timm:resnet50", "sparse_rcnn", COCO_SIZE, host="mmdet")
    stages, proposals, width, hidden, cells = 6, 300, 256, 64, 7 * 7
    dynamic = stages * proposals * cells * 2 * width * hidden
    attention = stages * (4 * proposals * width**2 + 2 * proposals**2 * width)
    assert (own.macs - dynamic - attention) / 1e9 == pytest.approx(166, rel=0.01)
    assert own.params / 1e6 == pytest.approx(106, rel=0.005)


def test_cascade_mask_rcnn_is_published_with_other_box_heads() -> None:
    """739 G and 82 M (Swin, table 2) have four convolutions and one layer where mmdetection's form has two layers."""
    own = cost_of("timm:resnet50", "cascade_mask_rcnn", COCO_SIZE, host="mmdet")
    stages, regions, width, cells, features = 3, 1000, 256, 7 * 7, 1024
    convolutions, layer = 4 * 9 * width**2, features**2
    assert (own.macs + stages * regions * (convolutions * cells - layer)) / 1e9 == pytest.approx(739, rel=0.005)
    assert (own.params + stages * (convolutions - layer)) / 1e6 == pytest.approx(82, rel=0.01)


@pytest.mark.parametrize(
    ("head", "classes", "weights"),
    [("mask_rcnn", 90, MaskRCNN_ResNet50_FPN_Weights), ("retinanet", 91, RetinaNet_ResNet50_FPN_Weights)],
    ids=["mask_rcnn", "retinanet"],
)
def test_parameters_are_those_that_torchvision_publishes(head: str, classes: int, weights: Any) -> None:
    own = cost_of("timm:resnet50", head, (64, 64), classes=classes)
    assert own.params == weights.COCO_V1.meta["num_params"] + BATCH_NORM_PARAMS
    assert own.training_params == 0


@pytest.mark.parametrize("network", ["tiny", "pvt_v2_b0", "hrnet_w18_small", "davit_tiny", SWIN])
@pytest.mark.parametrize("head", ["retinanet", "upernet"])
def test_the_count_of_our_backbones_is_that_of_the_counter(network: str, head: str) -> None:
    with torch.device("meta"):
        maps = make_maps(hiri_spec.load(network), task_of(head)).eval()
    counter = OperatorCounter()
    with torch.no_grad(), counter, counter.part("backbone") as counted:
        maps(torch.empty(1, 3, 96, 160, device="meta"))
    params, macs = count_stages(maps.network.spec, (96, 160))
    assert counted.macs == macs
    assert sum(each.numel() for each in maps.parameters()) == params


def test_a_spec_costs_what_timms_model_does() -> None:
    ours, theirs = (cost_of(name, "mask_rcnn", (224, 320)) for name in ("pvt_v2_b0", "timm:pvt_v2_b0"))
    assert ours.parts == theirs.parts


@pytest.mark.parametrize("head", ["retinanet", "mask_rcnn", "upernet"])
def test_the_meta_device_counts_what_the_cpu_does_and_torchs_counter_too(head: str) -> None:
    own = cost_of("tiny", head, (128, 192), classes=3)
    model = tiny_under(head).eval()
    counter = OperatorCounter()
    with torch.no_grad():
        maps = model.maps(torch.zeros(1, 3, 128, 192))
        with counter:
            model.run_for_cost(maps, (128, 192), counter.part)
        with FlopCounterMode(display=False) as theirs:
            model.run_for_cost(maps, (128, 192), OperatorCounter().part)
    for part in own.parts[1:]:
        counted = counter.parts.get(part.name, PartCount())
        assert (counted.params, counted.macs) == (part.params, part.macs)
    assert sum(part.macs for part in own.parts[1:]) == theirs.get_total_flops() // 2


@pytest.mark.parametrize("head", ["retinanet", "mask_rcnn", "upernet"])
def test_every_parameter_is_in_one_figure(head: str) -> None:
    own = cost_of("tiny", head, (128, 128), classes=3)
    model = tiny_under(head)
    assert own.params + own.training_params == sum(each.numel() for each in model.parameters())
    auxiliary = model.heads.auxiliary_head.parameters() if head == "upernet" else ()
    assert own.training_params == sum(each.numel() for each in auxiliary)


@pytest.mark.parametrize("head", ["retinanet", "mask_rcnn", "cascade_mask_rcnn", "atss", "gfl", "sparse_rcnn"])
def test_nothing_of_a_detector_learns_alone(head: str) -> None:
    own = cost_of("tiny", head, (64, 64), host="mmdet")
    assert own.training_params == 0
    assert own.parts[2].macs > 0


def test_the_setting_is_told() -> None:
    own = cost_of("tiny", "mask_rcnn", (100, 130))
    assert own.padded_size == (128, 192)
    assert own.given == {"proposals": 1000, "masks": 100}
    assert own.regions == 1100
    # two by two samples of four pixels each, in 7 by 7 and 14 by 14 cells of 256 channels
    assert own.interpolation_macs == 256 * 4 * 4 * (1000 * 7 * 7 + 100 * 14 * 14)
    assert own.strides == (4, 8, 16, 32, 64)
    assert own.left_out == ()
    assert cost_of("tiny", "upernet", (100, 130)).left_out == (64,)
    assert own.as_dict()["macs"] == own.macs == sum(part.macs for part in own.parts)


def counted(call: Any, *arguments: Any) -> PartCount:
    """What the counter sees of a call without gradients."""
    counter = OperatorCounter()
    with torch.no_grad(), counter, counter.part("all") as count:
        call(*arguments)
    return count


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("others", [5, 9])
def test_attention_modules_are_counted_on_each_path(device: str, others: int) -> None:
    width, positions, batch = 16, 5, 2
    attention = nn.MultiheadAttention(width, 4, batch_first=True, device=device).eval()
    query, keys = torch.zeros(batch, positions, width, device=device), torch.zeros(batch, others, width, device=device)
    if others == positions:
        keys = query  # for which the CPU has one kernel in all
    layers = 2 * positions * width**2 + 2 * others * width**2
    expected = batch * (layers + 2 * positions * others * width)
    assert counted(attention, query, keys, keys).macs == expected


def test_the_kernel_of_attention_modules_is_met() -> None:
    attention, x = nn.MultiheadAttention(16, 4, batch_first=True).eval(), torch.zeros(2, 5, 16)
    with torch.no_grad(), FlopCounterMode(display=False) as theirs:
        attention(x, x, x)
    assert theirs.get_total_flops() == 0  # torch's counter passes over it
    assert counted(attention, x, x, x).macs > 0


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_scaled_dot_products_are_counted(device: str) -> None:
    query, key, value = (torch.zeros(2, 4, number, 8, device=device) for number in (5, 9, 9))
    expected = 2 * 4 * 5 * 9 * (8 + 8)
    assert counted(functional.scaled_dot_product_attention, query, key, value).macs == expected


ONES = {shape: torch.ones(shape) for shape in ((3,), (4,), (3, 4), (4, 5), (3, 5), (2, 3, 4), (2, 4, 5))}


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(lambda: torch.mv(ONES[3, 4], ONES[4,]), 12, id="mv"),
        pytest.param(lambda: torch.dot(ONES[4,], ONES[4,]), 4, id="dot"),
        pytest.param(lambda: torch.vdot(ONES[4,], ONES[4,]), 4, id="vdot"),
        pytest.param(lambda: torch.addmv(ONES[3,], ONES[3, 4], ONES[4,]), 12, id="addmv"),
        pytest.param(lambda: torch.addr(ONES[3, 4], ONES[3,], ONES[4,]), 12, id="addr"),
        pytest.param(lambda: torch.addbmm(ONES[3, 5], ONES[2, 3, 4], ONES[2, 4, 5]), 120, id="addbmm"),
        pytest.param(lambda: ONES[3, 4] @ ONES[4, 5], 60, id="matmul"),
        pytest.param(lambda: torch.einsum("bij,bjk->bik", ONES[2, 3, 4], ONES[2, 4, 5]), 120, id="einsum"),
        pytest.param(lambda: functional.linear(ONES[2, 3, 4], torch.ones(7, 4)), 168, id="linear"),
        pytest.param(lambda: functional.conv2d(torch.ones(1, 4, 6, 6), torch.ones(8, 2, 3, 3), groups=2), 16 * 8 * 18),
        pytest.param(
            lambda: functional.conv_transpose2d(torch.ones(1, 4, 3, 3), torch.ones(4, 5, 2, 2), stride=2), 9 * 80
        ),
        pytest.param(lambda: torch.softmax(ONES[3, 4], 1) * 2 + ONES[3, 4].relu_(), 0, id="none"),
        pytest.param(lambda: nms(torch.zeros(4, 4), ONES[4,], 0.5), 0, id="nms"),
    ],
)
def test_products_by_hand(call: Any, expected: int) -> None:
    assert counted(call).macs == expected


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: torch.cdist(torch.ones(30, 4), torch.ones(30, 4)), "euclidean_dist"),
        (lambda: torch.linalg.inv(torch.eye(3)), "linalg_inv"),
        (lambda: torch.fft.fft(torch.ones(4)), "fft"),
        (lambda: deform_conv2d(torch.ones(1, 1, 4, 4), torch.zeros(1, 18, 2, 2), torch.ones(1, 1, 3, 3)), "deform"),
    ],
    ids=["cdist", "inverse", "fft", "deform_conv2d"],
)
def test_an_operator_that_nobody_knows_is_told_by_its_name(call: Any, name: str) -> None:
    with pytest.raises(SpecError, match=f"{name}.* runs in this model, and what it costs is not known"):
        counted(call)


def test_lists_name_operators_that_there_are() -> None:
    for name in WITHOUT_PRODUCTS:
        assert hasattr(torch.ops.aten, name) or hasattr(torch.ops.aten, f"{name}_"), name
    from torch.utils.flop_counter import flop_registry

    assert not OWN_FORMULAS.keys() & flop_registry.keys()


def test_regions_are_told_apart() -> None:
    boxes = torch.tensor([[0.0, 0, 0, 8, 8]]).expand(6, -1)
    count = counted(lambda: roi_align(torch.ones(1, 3, 16, 16), boxes, 7, 1.0, 2))
    assert (count.macs, count.regions, count.interpolation_macs) == (0, 6, 6 * 3 * 49 * 4 * 4)
    adaptive = counted(lambda: roi_align(torch.ones(1, 3, 16, 16), boxes, 7, 1.0, -1))
    assert adaptive.interpolation_macs == count.interpolation_macs


def test_parameters_are_counted_once_and_where_they_are_read() -> None:
    shared, other = nn.Linear(3, 4, bias=False), nn.Linear(4, 3)

    def run(x: Tensor) -> Tensor:
        return shared(other(shared(x)))

    count = counted(run, torch.ones(2, 3))
    assert count.params == 12 + 15
    assert count.macs == prod((2, 3, 4)) * 3


@pytest.mark.parametrize(
    ("network", "head", "size", "message"),
    [
        ("tiny", "mask_rcnn", (16, 800), "--size: 16 is no side of an image; use 32 to 16,384 pixels"),
        ("timm:vit_tiny_patch16_224", "mask_rcnn", (800, 800), "reads maps of stride 4, 8, 16, 32"),
        (
            "timm:swin_tiny_patch4_window7_224",
            "mask_rcnn",
            (800, 800),
            "doesn't take images of any size: .*; use another network",
        ),
    ],
    ids=["size", "no maps", "another size"],
)
def test_what_has_no_cost_is_told(network: str, head: str, size: tuple[int, int], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        cost_of(network, head, size)
