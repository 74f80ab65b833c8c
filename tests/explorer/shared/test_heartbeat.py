"""Signs of life, given and missed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from sqlalchemy.exc import OperationalError
from waiting import wait_until

from explorer.shared.heartbeat import Pulse, Watch


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("looks", "given_up"),
    [
        ([(0, 1), (5, 1), (10, 1)], True),
        ([(0, 1), (4, 1), (8, 1)], False),
        ([(0, 1), (5, 2), (10, 2)], False),
        ([(0, 1), (5, 2), (10, 2), (15, 2)], True),
        ([(0, 1), (500, 1)], False),  # the storage may have been away meanwhile
        ([(0, 1), (500, 1), (505, 1)], True),
        ([(0, 1), (500, 1), (505, 2)], False),
    ],
    ids=str,
)
def test_who_is_given_up(looks: list[tuple[float, int]], given_up: bool) -> None:
    clock = Clock()
    watch = Watch(10.0, clock)
    for clock.now, beat in looks:
        found = watch.look({7: beat, 8: clock.now})
    assert found == ([7] if given_up else [])


def test_who_ends_is_forgotten() -> None:
    clock = Clock()
    watch = Watch(10.0, clock)
    for clock.now, beats in ((0, {7: 1}), (5, {}), (10, {7: 1}), (15, {7: 1})):
        assert watch.look(beats) == []


class Storage:
    """Notes beats, or raises what it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.beats: list[tuple[Any, ...]] = []
        self.error = error

    def set_trial_user_attr(self, *beat: Any) -> None:
        self.beats.append(beat)
        if self.error is not None:
            raise self.error


def away() -> StorageInternalError:
    error = StorageInternalError("commit")
    error.__cause__ = OperationalError("update", {}, Exception("server closed the connection"))
    return error


def test_each_beat_is_another() -> None:
    storage = Storage()
    with Pulse(storage, 0.01) as pulse:  # type: ignore[arg-type]
        pulse.add(5)
        wait_until(lambda: len(storage.beats) >= 3)
    assert storage.beats[:3] == [(5, "beat", 1), (5, "beat", 2), (5, "beat", 3)]
    pulse.check()


@pytest.mark.parametrize(
    ("error", "goes_on"), [(UpdateFinishedTrialError("over"), False), (away(), True)], ids=["it has ended", "away"]
)
def test_a_beat_that_is_not_heard(error: Exception, goes_on: bool) -> None:
    storage, other = Storage(error), 6
    with Pulse(storage, 0.01) as pulse:  # type: ignore[arg-type]
        pulse.add(5)
        wait_until(lambda: len(storage.beats) >= 1)
        storage.error = None
        pulse.add(other)
        wait_until(lambda: len([beat for beat in storage.beats if beat[0] == other]) > 2)
    assert (len([beat for beat in storage.beats if beat[0] == 5]) > 1) is goes_on
    pulse.check()


def test_a_fault_of_ours_is_not_lost() -> None:
    def is_known(check: Callable[[], None]) -> bool:
        try:
            check()
        except ZeroDivisionError:
            return True
        return False

    with Pulse(Storage(ZeroDivisionError("ours")), 0.01) as pulse:  # type: ignore[arg-type]
        pulse.add(5)
        wait_until(lambda: is_known(pulse.check))
    with pytest.raises(ZeroDivisionError, match="ours"):
        pulse.check()
