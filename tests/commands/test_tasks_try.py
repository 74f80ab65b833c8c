"""`hiri-spec tasks try` as users type it."""

from __future__ import annotations

import json
from functools import partial

import pytest
import torch
from dense_scenes import task_of
from told import Command

from hiri_spec.quantities import SMALLEST_SIDE
from hiri_spec.tasks.hosts import torchvision_host
from hiri_spec.tasks.scenes import Objects, PixelClasses
from hiri_spec.tasks.task import read_task
from hiri_spec.tasks.trying import draw_scenes


@pytest.fixture
def try_it(hiri_spec_command: Command) -> Command:
    """Run `hiri-spec tasks try`."""
    return partial(hiri_spec_command, "tasks", "try")


@pytest.mark.parametrize("head", ["retinanet", "mask_rcnn", "upernet", "atss"])
def test_losses_times_and_memory(try_it: Command, head: str) -> None:
    told = try_it("tiny", "--head", head, "--size", "64", "--json")
    assert told.status == 0
    own = json.loads(told.out)
    assert (own["name"], own["head"], own["device"], own["size"]) == ("tiny", head, "cpu", 64)
    assert own["is_sound"]
    assert own["losses"]
    assert all(value > 0 for value in own["losses"].values())
    assert list(own["seconds"]) == ["build", "forward", "backward", "step", "prediction"]
    assert own["params"] > 10**6
    assert own["peak_bytes"] > 10**8
    assert own["left_out"] == ([64] if head == "upernet" else [])
    assert told.err.splitlines() == [
        "learning from two images …",
        "computing gradients …",
        "taking a step …",
        "predicting …",
    ]


def test_tables_for_people(try_it: Command) -> None:
    told = try_it("tiny", "--head", "upernet", "--size", "64")
    assert told.status == 0
    lines = told.out.splitlines()
    assert lines[0].startswith("tiny under UPerNet (transformers) on maps of stride 4, 8, 16, 32: ")
    first_words = [line.split()[0] for line in lines if line.strip()]
    assert {"loss", "loss_auxiliary", "build", "backward"} <= set(first_words)
    assert "8,768 pixels got a class. Peak memory of the process: " in lines[-1]  # 64 x 64 and 64 x 73


def test_a_loss_that_is_no_number_is_told(try_it: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    real = torchvision_host.TorchvisionRetinaNet.compute_losses
    monkeypatch.setattr(
        torchvision_host.TorchvisionRetinaNet,
        "compute_losses",
        lambda *arguments: real(*arguments) | {"bbox_regression": torch.tensor(torch.nan, requires_grad=True)},
    )
    told = try_it("tiny", "--head", "retinanet", "--size", "64", "--json")
    assert told.status == 1
    assert told.err.splitlines()[-1] == "error: no number: bbox_regression"
    assert json.loads(told.out)["losses"]["bbox_regression"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tiny", "--device", "gpu"), "error: --device: 'gpu' is none of auto, cpu, cuda; "),
        (("tiny", "--head", "yolo"), "error: --head: 'yolo' is no head; "),
        (("tiny", "--strides", "8"), "error: --strides: [8] is one map, and a neck joins two or more"),
        (("tiny", "--head", "upernet", "--classes", "300"), "error: --classes: 300 classes are too many"),
        (("tiny", "--head", "upernet", "--classes", "1"), "error: --classes: one class leaves nothing to tell apart; "),
    ],
    ids=["device", "head", "strides", "classes", "one class"],
)
def test_mistakes_are_told_by_their_option(try_it: Command, arguments: tuple[str, ...], message: str) -> None:
    told = try_it(*arguments)
    assert (told.status, told.out) == (2, "")
    assert told.err.splitlines()[-1].startswith(message)


def test_a_host_that_is_not_installed_is_told_with_what_to_install(
    try_it: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hiri_spec.tasks.assembly.find_spec", lambda _: None)
    told = try_it("tiny", "--head", "atss")
    assert told.status == 2
    message = "error: --head: atss comes from onedl-mmdetection, which is not installed; "
    assert told.err.splitlines()[-1].startswith(message + "pip install 'hiri-spec[detect]'")


@pytest.mark.parametrize("arguments", [(), ("--device", "auto")], ids=["by default", "asked for"])
def test_a_device_is_chosen(try_it: Command, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    told = try_it("tiny", "--head", "retinanet", "--size", "64", "--json", *arguments)
    assert (told.status, json.loads(told.out)["device"]) == (0, "cpu")


def test_a_device_that_is_not_there_is_told(try_it: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    told = try_it("tiny", "--device", "cuda")
    assert told.status == 2
    assert "use --device cpu" in told.err


@pytest.mark.parametrize("side", [SMALLEST_SIDE, 64, 250])
@pytest.mark.parametrize("head", ["mask_rcnn", "retinanet"])
def test_objects_are_drawn_for_a_head(head: str, side: int) -> None:
    images, targets = draw_scenes(task_of(head), side, seed=0)
    assert [tuple(image.shape) for image in images] == [(3, side, side), (3, side, side + side // 8 + 1)]
    for image, target in zip(images, targets, strict=True):
        assert 0 <= image.min() < image.max() <= 1
        assert isinstance(target, Objects)
        assert target.size == tuple(image.shape[-2:])
        assert 1 <= len(target.labels) <= 4
        assert set(target.labels.tolist()) <= {0, 1, 2}
        assert (target.masks is None) == (head == "retinanet")
    assert torch.equal(draw_scenes(task_of(head), side, seed=0)[0][0], images[0])
    assert not torch.equal(draw_scenes(task_of(head), side, seed=1)[0][0], images[0])


@pytest.mark.parametrize(("classes", "drawn"), [(2, {0, 1}), (3, {0, 1, 2}), (150, {0, 1, 2, 3, 4})], ids=str)
def test_pixel_classes_are_those_of_a_head(classes: int, drawn: set[int]) -> None:
    _, targets = draw_scenes(read_task({"head": "upernet", "classes": classes}), 256, seed=0)
    seen: set[int] = set()
    for target in targets:
        assert isinstance(target, PixelClasses)
        seen |= set(target.classes.unique().tolist())
    assert {0} <= seen <= drawn
    assert len(seen) > 1
