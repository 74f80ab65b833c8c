"""Which images make which batch."""

from __future__ import annotations

import pytest

from hiri_spec.train.data.order import Key, Order, StepOrder, TrainingOrder, ValidationOrder, share


def batches(order: Order, epoch: int = 0, first_batch: int = 0) -> list[list[Key]]:
    order.epoch, order.first_batch = epoch, first_batch
    return list(order)


def test_an_epoch_shuffles_all_images_but_those_left_over() -> None:
    order = TrainingOrder(23, 4, seed=1)
    epoch = batches(order, epoch=3)
    assert len(epoch) == len(order) == 5
    numbers = [number for batch in epoch for _, _, number in batch]
    assert len(set(numbers)) == 20
    assert set(numbers) < set(range(23))
    assert numbers != sorted(numbers)
    assert [{key[:2] for key in batch} for batch in epoch] == [{(3, number)} for number in range(5)]


def test_an_epoch_can_be_entered_anywhere() -> None:
    whole = batches(TrainingOrder(100, 8, seed=1), epoch=3)
    assert batches(TrainingOrder(100, 8, seed=1), epoch=3, first_batch=7) == whole[7:]
    assert batches(TrainingOrder(100, 8, seed=1), epoch=3, first_batch=12) == []


def test_seeds_and_epochs_shuffle_differently() -> None:
    orders = [(1, 3), (1, 4), (2, 3)]
    shuffled = [[number for _, _, number in batches(TrainingOrder(100, 100, seed), epoch)[0]] for seed, epoch in orders]
    assert len(set(map(tuple, shuffled))) == 3


@pytest.mark.parametrize(("batch_size", "processes"), [(8, 2), (4, 3), (2, 8), (3, 2), (1, 4)], ids=str)
def test_processes_share_the_batches_of_one(batch_size: int, processes: int) -> None:
    parts = [batches(TrainingOrder(100, batch_size, 1, index, processes)) for index in range(processes)]
    whole = batches(TrainingOrder(100, batch_size * processes, 1))
    assert len(whole) > 0
    for number, batch in enumerate(whole):
        shares = [part[number] for part in parts]
        assert {len(each) for each in shares} == {batch_size}
        assert sorted(key for each in shares for key in each) == sorted(batch)


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
def test_pairs_that_are_mixed_stay_pairs(processes: int) -> None:
    batch = list(range(24))
    pairs = {frozenset((batch[i], batch[-1 - i])) for i in range(12)}
    found = set()
    for index in range(processes):
        part = share(batch, index, processes)
        found |= {frozenset((part[i], part[-1 - i])) for i in range(len(part) // 2)}
    assert found == pairs


@pytest.mark.parametrize(
    ("images", "batch_size", "processes"), [(10, 4, 1), (10, 4, 3), (2, 4, 3), (12, 4, 3)], ids=str
)
def test_validation_meets_each_image_once(images: int, batch_size: int, processes: int) -> None:
    orders = [ValidationOrder(images, batch_size, 0, index, processes) for index in range(processes)]
    keys = [key for order in orders for batch in order for key in batch]
    assert sorted(number for _, _, number in keys) == list(range(images))
    assert [len(order) for order in orders] == [len(list(order)) for order in orders]
    assert all(0 < len(batch) <= batch_size for order in orders for batch in order)


def steps(index: int = 0, processes: int = 1, batch_size: int = 4, images: int = 10) -> StepOrder:
    return StepOrder(images, batch_size, seed=1, process_index=index, process_count=processes, epoch_batches=7)


def test_epochs_of_steps_go_through_the_images_pass_after_pass() -> None:
    stream = [key for epoch in range(5) for batch in batches(steps(), epoch) for key in batch]
    assert len(stream) == 5 * len(steps()) * 4 == 140
    assert [key[0] for key in stream] == [position // 10 for position in range(140)]
    passes = [tuple(key[2] for key in stream[start : start + 10]) for start in range(0, 140, 10)]
    assert all(sorted(each) == list(range(10)) for each in passes)
    assert len(set(passes)) == len(passes)


def test_an_epoch_of_steps_can_be_entered_anywhere() -> None:
    whole = batches(steps(), epoch=3)
    assert [{number for _, number, _ in batch} for batch in whole] == [{number} for number in range(7)]
    assert batches(steps(), epoch=3, first_batch=4) == whole[4:]
    assert batches(steps(), epoch=3, first_batch=7) == []


def test_steps_may_be_larger_than_the_images() -> None:
    (batch, *_) = batches(steps(images=3), epoch=0)
    assert sorted(key[2] for key in batch[:3]) == [0, 1, 2]
    assert batch[3][0] == 1


@pytest.mark.parametrize("processes", [2, 4], ids=str)
def test_processes_share_the_steps_of_one(processes: int) -> None:
    parts = [batches(steps(index, processes, batch_size=8 // processes)) for index in range(processes)]
    for whole, *own in zip(batches(steps(batch_size=8)), *parts, strict=True):
        assert sorted(whole) == sorted(key for part in own for key in part)
