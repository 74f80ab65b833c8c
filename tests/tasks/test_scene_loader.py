"""Batches of scenes: the same again whatever came before, whole whatever is broken."""

from __future__ import annotations

import pickle
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hiri_spec.errors import SpecError
from hiri_spec.tasks.data import Scene, SceneLoader, SceneSet, make_scene_loader, open_scenes
from hiri_spec.tasks.data.packing import pack
from hiri_spec.tasks.heads import HEADS
from hiri_spec.tasks.recipe import Images
from hiri_spec.tasks.scenes import Objects, PixelClasses, Target

IMAGES = Images(
    short_side=40, longest_side=60, short_sides=(32, 40, 48), scale=(0.8, 1.3), crop=(40, 48), photometric=True
)
Batch = tuple[list[Tensor], list[Target]]


class Broken(SceneSet):
    """The scenes of another set, some of them unreadable."""

    def __init__(self, scenes: SceneSet, broken: frozenset[int]) -> None:
        self.scenes, self.broken = scenes, broken
        self.class_names = scenes.class_names

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Scene:
        if index in self.broken:
            raise OSError("image file is truncated")
        return self.scenes[index]

    def describe(self, index: int) -> str:
        return f"scene {index}"


def shapes(head: str = "mask_rcnn", count: int = 22) -> SceneSet:
    return open_scenes(f"shapes:train={count},validation=7,size=48", "train", HEADS[head])


def loader(scenes: SceneSet | None = None, **options: Any) -> SceneLoader:
    chosen: dict[str, Any] = {"images": IMAGES, "batch_size": 4, "is_training": True, "seed": 5}
    return make_scene_loader(scenes or shapes(), **{**chosen, **options})


def tensors(batches: list[Batch]) -> list[Tensor | None]:
    found: list[Tensor | None] = []
    for images, targets in batches:
        found += images
        for target in targets:
            if isinstance(target, Objects):
                found += [torch.tensor(target.size), target.boxes, target.labels, target.masks, target.is_crowd]
                found.append(target.areas)
            else:
                found.append(target.classes)
    return found


def equal(some: list[Batch], others: list[Batch]) -> bool:
    pairs = zip(tensors(some), tensors(others), strict=True)
    return all(one is other if one is None or other is None else torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("head", ["gfl", "mask_rcnn", "upernet"])
def test_batches_of_scenes(head: str) -> None:
    batches = list(loader(shapes(head)).epoch(0))
    assert len(batches) == len(loader(shapes(head))) == 5
    for images, targets in batches:
        assert len(images) == len(targets) == 4
        for image, target in zip(images, targets, strict=True):
            assert (image.dtype, tuple(image.shape)) == (torch.float32, (3, 40, 48))
            assert 0 <= image.min() < image.max() <= 1
            if isinstance(target, PixelClasses):
                assert (target.classes.dtype, tuple(target.classes.shape)) == (torch.int64, (40, 48))
            else:
                assert target.size == (40, 48)
                assert (target.boxes.dtype, target.labels.dtype) == (torch.float32, torch.int64)
                assert (target.masks is None) is (head == "gfl")
                assert target.masks is None or target.masks.dtype == torch.bool
    assert any(
        len(target.labels) == 0 for _, targets in batches for target in targets if isinstance(target, Objects)
    ) is (head != "upernet")


@pytest.mark.parametrize("head", ["mask_rcnn", "upernet"])
def test_any_batch_comes_again(head: str) -> None:
    whole = list(loader(shapes(head)).epoch(2))
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    again = loader(shapes(head))
    next(again.epoch(1))
    assert equal(list(again.epoch(2)), whole)
    assert equal(list(again.epoch(2, first_batch=3)), whole[3:])
    assert torch.equal(torch.get_rng_state(), state)
    assert not equal(list(again.epoch(3)), whole)
    assert not equal(list(loader(shapes(head), seed=6).epoch(2)), whole)


@pytest.mark.parametrize("is_training", [True, False], ids=["training", "evaluation"])
def test_workers_change_nothing(is_training: bool) -> None:
    alone = loader(is_training=is_training)
    helped = loader(is_training=is_training, workers=2)
    for epoch, first in ((0, 0), (1, 3)):
        assert equal(list(helped.epoch(epoch, first)), list(alone.epoch(epoch, first)))


def test_processes_share_the_scenes_of_one() -> None:
    one = list(loader(batch_size=4).epoch(1))
    two = [list(loader(batch_size=2, process_index=index, process_count=2).epoch(1)) for index in (0, 1)]
    for number, (images, _) in enumerate(one):
        theirs = [image for own in two for image in own[number][0]]
        assert all(any(torch.equal(image, other) for other in theirs) for image in images)


def test_evaluation_shows_each_image_once_as_it_is() -> None:
    scenes = shapes(count=7)
    options: dict[str, Any] = {"is_training": False, "images": Images(short_side=30, longest_side=45), "batch_size": 2}
    loaders = [loader(scenes, **options, process_index=index, process_count=2) for index in (0, 1)]
    assert [len(each) for each in loaders] == [2, 2]
    order = [0, 2, 4, 6, 1, 3, 5]
    seen = [
        (image, target)
        for each in loaders
        for images, targets in each.epoch(0)
        for image, target in zip(images, targets, strict=True)
    ]
    assert len(seen) == 7
    for number, (image, target) in zip(order, seen, strict=True):
        assert min(image.shape[1:]) == 30
        assert equal([([], [target])], [([], [scenes[number].target])])


def test_an_epoch_of_steps() -> None:
    steps = loader(epoch_steps=3, accumulate=2)
    assert len(steps) == 6
    epochs = [list(steps.epoch(epoch)) for epoch in (0, 1)]
    assert [len(epoch) for epoch in epochs] == [6, 6]
    assert equal(list(steps.epoch(1, first_batch=4)), epochs[1][4:])
    assert equal(list(loader(epoch_steps=3, accumulate=2, workers=1).epoch(1)), epochs[1])
    assert len(list(loader(shapes(count=3), epoch_steps=2).epoch(0))) == 2  # more than there are images
    assert len(loader(is_training=False, epoch_steps=3)) == 6  # in evaluation it means nothing


def test_an_image_that_comes_twice_in_an_epoch_is_distorted_anew() -> None:
    ((images, _),) = loader(shapes(count=1), epoch_steps=1).epoch(0)
    assert all(not torch.equal(images[0], other) for other in images[1:])


@pytest.mark.parametrize("workers", [0, 1], ids=str)
def test_unreadable_scenes_are_told_and_replaced(workers: int) -> None:
    scenes = Broken(shapes(), frozenset({3, 11}))
    own = loader(scenes, max_unreadable=0.1, workers=workers)
    batches = [batch for epoch in (0, 1) for batch in own.epoch(epoch)]
    assert [len(images) for images, _ in batches] == [4] * 10
    assert own.unreadable == dict.fromkeys(["scene 3", "scene 11"], "image file is truncated")


def test_evaluation_passes_over_unreadable_scenes() -> None:
    own = loader(Broken(shapes(count=7), frozenset({3})), is_training=False)
    assert sum(len(images) for images, _ in own.epoch(0)) == 6
    assert own.unreadable == {"scene 3": "image file is truncated"}


def test_too_many_unreadable_scenes_end_it() -> None:
    own = loader(Broken(shapes(), frozenset(range(5))))
    with pytest.raises(SpecError, match=r"of 22 images can't be read, and 1 may be passed over: scene \d"):
        list(own.epoch(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size: 0 is too small; use 1 or more"),
        ({"workers": -1}, "workers: -1 is too small; use 0 or more"),
        ({"batch_size": 12, "process_count": 2}, "batch_size: 24 is more than the 22 training images; use at most 22"),
    ],
    ids=["batch_size", "workers", "too many"],
)
def test_no_batch_can_be_made(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        loader(**options)


def test_packed_scenes_are_a_few_tensors_that_come_out_as_they_went_in() -> None:
    size = (4, 6)
    full = Objects(
        size,
        torch.rand(2, 4),
        torch.tensor([3, 1]),
        torch.rand(2, *size) > 0.5,
        torch.tensor([True, False]),
        torch.tensor([4.0, 5.0]),
    )
    bare = Objects((5, 5), torch.zeros(0, 4), torch.zeros(0, dtype=torch.long))
    contents: list[tuple[Tensor, Target]] = [
        (torch.randint(256, (3, *size), dtype=torch.uint8), full),
        (torch.randint(256, (3, 5, 5), dtype=torch.uint8), bare),
        (torch.randint(256, (3, 2, 3), dtype=torch.uint8), PixelClasses(torch.tensor([[0, 255, 7], [1, 2, 254]]))),
    ]
    packed = pickle.loads(pickle.dumps(pack(contents, 0, 0)))
    assert set(packed.flat) == {torch.uint8, torch.float32, torch.int64, torch.bool}
    images, targets = packed.unpack(torch.device("cpu"))
    assert equal([(images, targets)], [([image / 255 for image, _ in contents], [target for _, target in contents])])
