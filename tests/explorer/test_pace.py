"""Pace and time left, by the last trials."""

from __future__ import annotations

import pytest

from explorer.pace import LAST, Pace


@pytest.mark.parametrize(
    ("seconds", "rate", "left"),
    [(0.001, "1e+03 trials/s", "0:00:00"), (0.5, "2 trials/s", "0:00:05"), (2.0, "2 s/trial", "0:00:20")],
)
def test_rate_and_time_left(seconds: float, rate: str, left: str) -> None:
    pace = Pace(100.0)
    for number in range(1, 4):
        pace.finished(100.0 + seconds * number)
    assert (pace.rate(), pace.left(10)) == (rate, left)


def test_before_the_first_trial() -> None:
    pace = Pace(0.0)
    assert (pace.seconds_a_trial, pace.rate(), pace.left(10)) == (None, "", "")


def test_the_last_trials_count() -> None:
    pace, now = Pace(0.0), 1000.0
    pace.finished(now)  # loading everything took long
    for _ in range(LAST):
        now += 3
        pace.finished(now)
    assert pace.seconds_a_trial == pytest.approx(3)
