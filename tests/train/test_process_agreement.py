"""Processes stop together, whichever of them hears of it, and none waits for ever."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, cast

import pytest
import torch
from accelerate import Accelerator

from hiri_spec.train.agreement import AGREEING_STEPS, Agreement, StoppedError, WatchedBatches
from hiri_spec.train.interrupts import StopRequest

PATIENCE_S = 10
"""After which whoever waits for another process fails."""


class Exchange:
    """What processes gather; a round is over once each has brought its part."""

    def __init__(self, count: int) -> None:
        self.parts: list[Any] = [None] * count
        self.barrier = Barrier(count)


class Process:
    """As much of accelerate's object as an agreement needs, for one of some threads."""

    device = torch.device("cpu")

    def __init__(self, exchange: Exchange, index: int) -> None:
        self._exchange, self._index = exchange, index
        self.num_processes = len(exchange.parts)
        self.rounds = 0

    def gather(self, own: torch.Tensor) -> torch.Tensor:
        self._exchange.parts[self._index] = own
        self._exchange.barrier.wait(PATIENCE_S)
        everyones = torch.cat(self._exchange.parts)
        self._exchange.barrier.wait(PATIENCE_S)  # or the next round would write over this one
        self.rounds += 1
        return everyones


def watch(counts: tuple[int, ...], heard_by: int | None, at: int) -> list[tuple[int, bool, int | None, int]]:
    """Each process goes through so many batches, and one is asked to stop when it gets the batch `at`.

    Tells how many each had, whether it was stopped, the signal and the rounds.
    """
    exchange = Exchange(len(counts))

    def run(index: int) -> tuple[int, bool, int | None, int]:
        stop, process, had = StopRequest(), Process(exchange, index), 0
        agreement = Agreement(cast(Accelerator, process), stop)
        try:
            for batch in agreement.watch(iter(range(counts[index]))):
                had += 1
                if index == heard_by and batch == at:
                    stop.signal = signal.SIGTERM
        except StoppedError:
            return had, True, agreement.signal, process.rounds
        return had, False, agreement.signal, process.rounds

    with ThreadPoolExecutor(len(counts)) as pool:
        return list(pool.map(run, range(len(counts))))


@pytest.mark.parametrize("counts", [(25, 25), (25, 24), (0, 31), (10, 11), (3, 1, 2)], ids=str)
def test_all_batches_come_though_some_have_more(counts: tuple[int, ...]) -> None:
    found = watch(counts, None, 0)
    assert [each[:3] for each in found] == [(count, False, None) for count in counts]
    assert len({rounds for *_, rounds in found}) == 1


@pytest.mark.parametrize(
    ("counts", "heard_by", "at", "had"),
    [
        ((40, 40), 1, 3, (AGREEING_STEPS, AGREEING_STEPS)),
        ((40, 40), 0, 10, (20, 20)),
        ((4, 40), 0, 3, (4, AGREEING_STEPS)),
        ((4, 40), 1, 3, (4, AGREEING_STEPS)),
        ((5, 5), 1, 4, (5, 5)),
        ((40, 0, 40), 2, 0, (AGREEING_STEPS, 0, AGREEING_STEPS)),
    ],
    ids=["early", "later", "by one that is done", "while one is done", "at the end", "one has none"],
)
def test_what_one_hears_stops_all(counts: tuple[int, ...], heard_by: int, at: int, had: tuple[int, ...]) -> None:
    found = watch(counts, heard_by, at)
    assert [each[:3] for each in found] == [(count, True, signal.SIGTERM) for count in had]
    assert len({rounds for *_, rounds in found}) == 1


def test_a_process_alone_stops_at_its_next_batch() -> None:
    class Three:
        @property
        def unreadable(self) -> dict[str, str]:
            return {}

        def note_unreadable(self, images: Mapping[str, str]) -> None:
            raise AssertionError(f"a process alone is told of {images}")

        def __len__(self) -> int:
            return 3

        def epoch(self, epoch: int, first_batch: int = 0) -> Iterator[int]:
            yield from range(first_batch, 3)

    stop = StopRequest()
    agreement = Agreement(Accelerator(cpu=True), stop)
    batches = WatchedBatches(Three(), agreement)
    assert list(batches.epoch(0)) == [0, 1, 2]
    assert not agreement.is_stopping()
    epoch = batches.epoch(0, 1)
    assert next(epoch) == 1
    stop.signal = signal.SIGINT
    with pytest.raises(StoppedError, match="all processes stop"):
        next(epoch)
    assert agreement.is_stopping()
    assert agreement.signal == signal.SIGINT
