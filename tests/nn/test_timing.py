"""Calls in turn, by fake clocks; medians, quartiles, ratios round by round."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hiri_spec.nn.timing import MOST_REPEATS, Limits, Spread, compare, interleave, spread, time_call


class Machine:
    """A clock that calls move on, and a record of who was called."""

    def __init__(self) -> None:
        self.now = 0.0
        self.called: list[str] = []

    def call(self, name: str, *seconds: float) -> Callable[[], None]:
        """A call that takes these seconds, one after the other and then from the start."""
        count = 0

        def run() -> None:
            nonlocal count
            self.now += seconds[count % len(seconds)]
            self.called.append(name)
            count += 1

        return run

    def time_call(self, call: Callable[[], object]) -> float:
        before = self.now
        call()
        return self.now - before

    def clock(self) -> float:
        return self.now


@pytest.fixture
def machine() -> Machine:
    return Machine()


def measure(machine: Machine, calls: list[Callable[[], None]], limits: Limits, **options: object) -> list[list[float]]:
    rounds = interleave(
        calls,
        limits,
        time_call=machine.time_call,
        clock=machine.clock,
        pause_seconds=0,
        **options,  # type: ignore[arg-type]
    )
    assert not rounds.was_interrupted
    return rounds.rows


def test_everyone_has_a_turn_in_each_round(machine: Machine) -> None:
    calls = [machine.call(name, seconds) for name, seconds in (("a", 1), ("b", 2), ("c", 3))]
    rows = measure(machine, calls, Limits(rounds=4, seconds=None))
    assert rows == [[1, 2, 3]] * 4
    turns = [machine.called[start : start + 3] for start in range(0, 15, 3)]
    assert all(sorted(turn) == ["a", "b", "c"] for turn in turns)
    assert len({tuple(turn) for turn in turns}) > 1, "not always in one order"


def test_the_first_round_warms_up(machine: Machine) -> None:
    calls = [machine.call("a", 100, 1, 1)]
    assert measure(machine, calls, Limits(rounds=2, seconds=None)) == [[1], [1]]


def test_quick_calls_are_repeated_in_their_turn(machine: Machine) -> None:
    calls = [machine.call("a", 5, 1, 4, 2), machine.call("b", 20)]
    rows = measure(machine, calls, Limits(rounds=1, seconds=None), turn_seconds=7)
    assert rows == [[2, 20]], "the median of 1, 4 and 2"
    assert machine.called.count("b") == 2


def test_repeats_have_a_limit(machine: Machine) -> None:
    measure(machine, [machine.call("a", 1e-9)], Limits(rounds=1, seconds=None), turn_seconds=1)
    assert len(machine.called) == MOST_REPEATS + 1


@pytest.mark.parametrize(
    ("limits", "rounds"),
    [
        (Limits(rounds=2, seconds=None), 2),
        (Limits(rounds=None, seconds=45), 5),
        (Limits(rounds=None, seconds=5), 3),
        (Limits(rounds=None, seconds=0), 3),
        (Limits(rounds=4, seconds=1000), 4),
        (Limits(rounds=1000, seconds=35), 4),
        (Limits(rounds=1, seconds=1000), 1),
    ],
    ids=["rounds", "seconds", "least", "none", "rounds-first", "seconds-first", "one"],
)
def test_when_it_stops(machine: Machine, limits: Limits, rounds: int) -> None:
    assert len(measure(machine, [machine.call("a", 10)], limits)) == rounds


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        (Limits(rounds=10, seconds=None), 80),
        (Limits(rounds=None, seconds=50), 30),
        (Limits(rounds=None, seconds=5), 10),
        (Limits(rounds=10, seconds=50), 30),
        (Limits(rounds=2, seconds=50), 0),
    ],
    ids=["rounds", "seconds", "least", "both", "done"],
)
def test_seconds_left(limits: Limits, left: float) -> None:
    assert limits.seconds_left(2, 20.0) == left


def test_the_watcher_is_told(machine: Machine) -> None:
    told: list[tuple[int, float]] = []
    measure(machine, [machine.call("a", 10)], Limits(rounds=3), watch=lambda *news: told.append(news))
    assert told == [(1, 20.0), (2, 10.0), (3, 0.0)]


def interrupt_at(number: int) -> Callable[[], None]:
    """A call that is interrupted when it is made for that time."""
    count = 0

    def run() -> None:
        nonlocal count
        count += 1
        if count == number:
            raise KeyboardInterrupt

    return run


def test_an_interruption_keeps_whole_rounds(machine: Machine) -> None:
    rounds = interleave([interrupt_at(4), lambda: None], Limits(rounds=9), turn_seconds=0, pause_seconds=0)
    assert rounds.was_interrupted
    assert [len(row) for row in rounds.rows] == [2, 2]
    assert len(rounds.column(1)) == 2


@pytest.mark.parametrize("number", [1, 2], ids=["warm-up", "first-round"])
def test_an_interruption_before_the_first_round_is_passed_on(number: int) -> None:
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        interleave([interrupt_at(number)], Limits(rounds=9), turn_seconds=0, pause_seconds=0)


def test_spread() -> None:
    assert spread([3, 1, 2, 5, 4]) == Spread(3, 2, 4)
    assert spread([7]) == Spread(7, 7, 7)
    assert spread([1, 2]).scaled(10).as_dict() == {"median": 15, "lower": 12.5, "upper": 17.5}


def test_ratios_are_taken_within_rounds() -> None:
    # the machine was ten times slower in the last round: it was so for both
    assert compare([2, 4, 30], [1, 2, 10]) == Spread(2, 2, 2.5)
    assert spread([2, 4, 30]).median / spread([1, 2, 10]).median == 2
    assert compare([1, 1, 100], [1, 1, 100]) == Spread(1, 1, 1)


def test_time_call() -> None:
    assert time_call(lambda: sum(range(1000))) > 0
