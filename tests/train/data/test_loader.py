"""Batches: the same again whatever came before, whole whatever is broken."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pictures import picture, write_classes
from timm.data.mixup import mixup_target

from hiri_spec.errors import SpecError
from hiri_spec.train.augmentation import Augmentation
from hiri_spec.train.data import ImageSet, Loader, make_loader, open_dataset
from hiri_spec.train.data.images import Sample
from hiri_spec.train.data.loader import count_allowed

UNMIXED = Augmentation(mixup=0, cutmix=0)
Batch = tuple[torch.Tensor, torch.Tensor]


class Pictures(ImageSet):
    """As many pictures as asked for, of three classes, some of them unreadable."""

    def __init__(self, count: int, broken: frozenset[int] = frozenset()) -> None:
        self.count, self.broken = count, broken
        self.class_names = ("a", "b", "c")
        self.in_channels = 3

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        if index in self.broken:
            raise OSError("image file is truncated")
        return picture(index), index % 3

    def describe(self, index: int) -> str:
        return f"picture {index}"


def loader(images: ImageSet | None = None, **options: Any) -> Loader:
    chosen: dict[str, Any] = {
        "augmentation": Augmentation(),
        "batch_size": 4,
        "resolution": (32, 32),
        "is_training": True,
        "seed": 5,
    }
    return make_loader(images or Pictures(41), **{**chosen, **options})


def equal(some: list[Batch], others: list[Batch]) -> bool:
    return len(some) == len(others) and all(
        torch.equal(one, other) for pair in zip(some, others, strict=True) for one, other in zip(*pair, strict=True)
    )


def test_batches_are_normalised_and_mixed() -> None:
    batches = list(loader().epoch(0))
    assert len(batches) == len(loader()) == 10
    for images, targets in batches:
        assert (images.shape, images.dtype) == ((4, 3, 32, 32), torch.float32)
        assert (targets.shape, targets.dtype) == ((4, 3), torch.float32)
        assert torch.allclose(targets.sum(dim=1), torch.ones(4))
    stacked = torch.cat([images for images, _ in batches])
    assert abs(stacked.mean()) < 1
    assert any(((targets > 0.1) & (targets < 0.9)).any() for _, targets in batches)  # more than smoothing does


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_any_batch_comes_out_again(workers: int) -> None:
    whole = list(loader().epoch(2))
    again = loader(workers=workers)
    list(again.epoch(1))
    assert equal(list(again.epoch(2, first_batch=4)), whole[4:])
    half = again.epoch(2)
    assert equal([next(half), next(half)], whole[:2])  # and left there
    assert equal(list(again.epoch(2)), whole)
    assert not equal(list(again.epoch(3)), whole)
    assert not equal(list(loader(seed=6).epoch(2)), whole)


@pytest.mark.parametrize("workers", [0, 2])
def test_no_random_number_of_the_trainings_own_is_drawn(workers: int) -> None:
    before = random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state()
    list(loader(workers=workers).epoch(0))
    list(loader(workers=workers, is_training=False).epoch(0))
    assert random.getstate() == before[0]
    np.testing.assert_equal(np.random.get_state(legacy=False), before[1])
    assert torch.equal(torch.get_rng_state(), before[2])


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_together_have_the_batches_of_one(processes: int) -> None:
    parts = [
        list(loader(batch_size=8 // processes, process_index=index, process_count=processes).epoch(1))
        for index in range(processes)
    ]
    whole = list(loader(batch_size=8).epoch(1))
    assert len(whole) == 5
    for number, (images, targets) in enumerate(whole):
        own = torch.cat([part[number][0] for part in parts])
        order = [next(i for i in range(8) if torch.equal(image, images[i])) for image in own]
        assert sorted(order) == list(range(8))
        assert torch.equal(torch.cat([part[number][1] for part in parts]), targets[order])


def test_targets_that_are_only_smoothed() -> None:
    batches = list(loader(augmentation=UNMIXED, batch_size=3, classes=5).epoch(0))
    found = torch.cat([targets for _, targets in batches])
    assert torch.allclose(found, mixup_target(found.argmax(dim=1), 5, smoothing=0.1))
    assert set(found.argmax(dim=1).tolist()) == {0, 1, 2}


def test_how_often_batches_are_mixed() -> None:
    chosen = Augmentation(mixing=0.5, label_smoothing=0)
    batches = [batch for epoch in range(20) for batch in loader(augmentation=chosen).epoch(epoch)]
    share = sum(bool(((targets > 0) & (targets < 1)).any()) for _, targets in batches) / len(batches)
    assert 0.3 < share < 0.6  # some of the mixed ones pair images of a class


@pytest.mark.parametrize("workers", [0, 2])
def test_validation_is_in_order_and_whole(workers: int) -> None:
    images = Pictures(10)
    batches = list(loader(images, is_training=False, workers=workers).epoch(0))
    assert [len(found) for found, _ in batches] == [4, 4, 2]
    assert torch.cat([targets for _, targets in batches]).tolist() == [index % 3 for index in range(10)]
    assert batches[0][1].dtype == torch.int64
    assert equal(list(loader(images, is_training=False, seed=9).epoch(7)), batches)


@pytest.mark.parametrize("in_channels", [1, 3])
def test_images_of_a_real_source(in_channels: int) -> None:
    images = open_dataset("digits", "train", resolution=(32, 48), in_channels=in_channels)
    batch, targets = next(loader(images, resolution=(32, 48)).epoch(0))
    assert batch.shape == (4, in_channels, 32, 48)
    assert targets.shape == (4, 10)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_image_is_replaced_in_training(workers: int) -> None:
    broken = loader(Pictures(40, frozenset({7, 8})), workers=workers, max_unreadable=0.05, augmentation=UNMIXED)
    batches = list(broken.epoch(0))
    assert [len(images) for images, _ in batches] == [4] * 10
    assert broken.unreadable == {f"picture {index}": "image file is truncated" for index in (7, 8)}
    healthy = list(loader(Pictures(40), augmentation=UNMIXED).epoch(0))
    same = [
        torch.equal(image, other)
        for pair in zip(batches, healthy, strict=True)
        for image, other in zip(pair[0][0], pair[1][0], strict=True)
    ]
    assert same.count(False) == 2
    assert equal(list(broken.epoch(0, first_batch=3)), batches[3:])
    assert len(broken.unreadable) == 2  # counted once, however often they are met


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_image_is_left_out_of_validation(workers: int) -> None:
    broken = loader(
        Pictures(10, frozenset({0, 5, 8, 9})), workers=workers, is_training=False, max_unreadable=0.4, batch_size=2
    )
    assert [targets.tolist() for _, targets in broken.epoch(0)] == [[1], [2, 0], [1], [0, 1]]
    assert len(broken.unreadable) == 4


@pytest.mark.parametrize("is_training", [True, False], ids=["training", "validation"])
@pytest.mark.parametrize("workers", [0, 2])
def test_too_many_unreadable_images_are_an_error(workers: int, is_training: bool) -> None:
    broken = loader(Pictures(400, frozenset(range(100, 120))), workers=workers, is_training=is_training)
    told = r"data: \d+ of 400 images can't be read, and 4 may be passed over: picture \d+ \(image file is truncated\)"
    with pytest.raises(SpecError, match=told):
        list(broken.epoch(0))


@pytest.mark.parametrize("is_training", [True, False], ids=["training", "validation"])
def test_what_other_processes_could_not_read_is_counted_too(is_training: bool) -> None:
    pictures = Pictures(400, frozenset({20, 101, 202, 303, 340}))  # of which each process has a part
    first, second = (
        loader(pictures, is_training=is_training, process_index=index, process_count=2) for index in range(2)
    )
    for each in (first, second):
        assert len(list(each.epoch(0))) == 50
    assert 0 < len(first.unreadable) < 5
    assert first.unreadable.keys() | second.unreadable.keys() == {f"picture {n}" for n in (20, 101, 202, 303, 340)}
    with pytest.raises(SpecError, match="5 of 400 images can't be read, and 4 may be passed over"):
        first.note_unreadable(second.unreadable)


def test_images_that_are_all_unreadable_are_an_error() -> None:
    broken = loader(Pictures(8, frozenset(range(8))), max_unreadable=1, batch_size=2)
    with pytest.raises(SpecError, match="8 of 8 images can't be read"):
        list(broken.epoch(0))


@pytest.mark.parametrize(
    ("share", "images", "count"),
    [(0.01, 400, 4), (0.01, 99, 1), (0.29, 100, 29), (1, 7, 7), (0, 100, 0)],
    ids=["share", "at least one", "rounding", "all", "none"],
)
def test_how_many_may_be_unreadable(share: float, images: int, count: int) -> None:
    assert count_allowed(share, images) == count


def test_broken_files_of_a_folder(tmp_path: Path) -> None:
    folder = write_classes(tmp_path, {"cat": 30, "dog": 30})
    (folder / "cat" / "3.png").write_bytes((folder / "cat" / "3.png").read_bytes()[:900])
    (folder / "dog" / "4.png").write_bytes(b"")
    (folder / "dog" / "5.png").write_text("no image")
    images = open_dataset(folder, "validation", resolution=(32, 32))
    batches = loader(images, is_training=False, workers=2, max_unreadable=0.05, batch_size=8)
    assert sum(len(targets) for _, targets in batches.epoch(0)) == 57
    reasons = {"cat/3.png": "image file is truncated", "dog/4.png": "no image", "dog/5.png": "no image"}
    assert batches.unreadable == {str(folder / name): why for name, why in reasons.items()}
    told = r"3 of 60 images can't be read, and 2 may be passed over: .*/3.png \(image file is truncated\); .*\. Mend"
    with pytest.raises(SpecError, match=told):
        list(loader(images, is_training=False, workers=2, max_unreadable=0.04, batch_size=8).epoch(0))


KILLED = """
import multiprocessing, os, signal, time
from hiri_spec.errors import SpecError
from hiri_spec.train.augmentation import Augmentation
from hiri_spec.train.data import make_loader, open_dataset, workers_watched

images = open_dataset("finegrain", "validation", resolution=(448, 448))
batches = make_loader(
    images, augmentation=Augmentation(), batch_size=4, resolution=(448, 448), is_training=False, workers=2
).epoch(0)
try:
    with workers_watched():
        next(batches)
        os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
        time.sleep(60)  # torch tells of it here, or else with the next batch
        list(batches)
except SpecError as error:
    print(error, flush=True)
os._exit(0)  # or torch tells of it again
"""


def test_a_worker_that_is_killed_is_told() -> None:
    result = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, check=True)
    told = (
        r"workers: a process that reads images is gone \(.* killed by signal.*\); if memory is short, use fewer workers"
    )
    assert re.match(told, result.stdout), result.stderr


def test_workers_leave_ctrl_c_to_the_main_process() -> None:
    others = set(multiprocessing.active_children())
    batches = loader(workers=2).epoch(0)
    first = next(batches)
    own = [child.pid for child in set(multiprocessing.active_children()) - others]
    assert len(own) == 2
    for pid in own:
        assert pid is not None
        os.kill(pid, signal.SIGINT)
    assert equal([first, *batches], list(loader().epoch(0)))


LEFT = """
from hiri_spec.train.augmentation import Augmentation
from hiri_spec.train.data import make_loader, open_dataset

images = open_dataset("finegrain:train=8,classes=4", "train", resolution=(32, 32))
loader = make_loader(
    images, augmentation=Augmentation(), batch_size=2, resolution=(32, 32), is_training=True, workers=2
)
print(sum(len(images) for images, _ in loader.epoch(0)))
"""


def test_workers_go_with_the_main_process() -> None:
    """Though they are kept for the next epoch, and nobody says that there is none."""
    result = subprocess.run([sys.executable, "-c", LEFT], capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stdout) == (0, "8\n"), result.stderr


def test_workers_leave_sigterm_of_others_to_the_main_process() -> None:
    others = set(multiprocessing.active_children())
    kept = loader(workers=1)  # or its worker goes with it
    batches = kept.epoch(0)
    first = next(batches)
    (own,) = set(multiprocessing.active_children()) - others
    subprocess.run(["kill", "-TERM", str(own.pid)], check=True)
    assert equal([first, *batches], list(loader().epoch(0)))
    own.terminate()  # and what the main process itself sends ends it
    with pytest.raises(RuntimeError, match=r"exited unexpectedly with exit code 143"):  # raised by torch, on SIGCHLD
        time.sleep(60)  # not own.join(), which may collect the worker before torch has seen how it ended


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"batch_size": 0}, "batch_size: 0 is too small; use 1 or more"),
        ({"workers": -1}, "workers: -1 is too small; use 0 or more"),
        ({"batch_size": 3}, "batch_size: 3 is odd, and Mixup and CutMix mix pairs of images; use 4, or mixup: 0"),
        ({"batch_size": 42}, "batch_size: 42 is more than the 41 training images; use at most 41"),
        ({"batch_size": 22, "process_count": 2}, "batch_size: 44 is more than the 41 training images"),
    ],
    ids=str,
)
def test_what_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        loader(**options)
