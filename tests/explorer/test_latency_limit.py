"""Networks are timed before they are scored: too slow ones are left, and misleading MACs are told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from searches import run

import hiri_spec
from explorer.evaluation.outcome import Evaluate, Task, Timing
from explorer.evaluators import load_evaluator
from explorer.report import front_table
from explorer.results import SearchResult, find_misleading_macs
from hiri_spec import SpecError

TASK = Task(7, hiri_spec.load("tiny"), 0)


def never(number: int, step: int, value: float) -> bool:
    return False


def refuse(spec: object, seed: int) -> float:
    raise AssertionError("it should not be scored")


def test_what_is_slower_than_the_limit_is_not_scored() -> None:
    outcome = Evaluate(refuse, never, Timing(limit_ms=1e-6))(TASK)
    assert outcome.score is None
    assert outcome.failure == ""
    assert outcome.latency_ms is not None
    assert outcome.stopped == f"it takes {outcome.latency_ms:.4g} ms, more than 1e-06 ms"


def test_what_is_quick_enough_is_scored_and_its_time_kept() -> None:
    outcome = Evaluate(lambda spec, seed: 3.0, never, Timing(limit_ms=1e6))(TASK)
    assert (outcome.score, outcome.failure, outcome.stopped) == (3.0, "", "")
    assert outcome.latency_ms is not None
    assert 0.1 < outcome.latency_ms < 1e4


def test_the_evaluator_tells_images_a_second() -> None:
    assert 0.1 < load_evaluator("latency", {"device": "cpu"})(TASK.spec, 0) < 1e4


def test_a_search_for_score_and_time(space_file: Path, tmp_path: Path) -> None:
    found = run(space_file, tmp_path / "run", trials=5, objective="latency", max_latency="100s")
    assert len(found.members) == 5
    times = [member.latency_ms for member in found.members]
    assert all(time is not None and time > 0 for time in times)
    for member in found.front:
        assert not [
            other
            for other in found.members
            if other.score > member.score and (other.latency_ms or 0) < (member.latency_ms or 0)
        ]
    again = run(space_file, tmp_path / "run", trials=5, objective="latency", max_latency="100s")
    assert [member.latency_ms for member in again.members] == times


def test_a_limit_that_nothing_keeps(space_file: Path, tmp_path: Path) -> None:
    found = run(space_file, tmp_path / "run", trials=4, max_latency="0.000001s")
    assert found.members == ()
    assert [trial.number for trial in found.stopped] == [0, 1, 2, 3]
    assert all("more than 0.001 ms" in trial.reason for trial in found.stopped)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"max_latency": "20ms", "workers": 2}, "--workers: networks that are timed while others are evaluated"),
        ({"max_latency": "fast"}, "--max-latency: 'fast' is no time"),
        ({"max_latency": "20ms", "device": "tpu"}, "--device: unknown device 'tpu'; did you mean 'cpu'"),
        ({"device": "cpu"}, "--device: params takes none; leave it out"),
        ({"objective": "latency", "device": "cuda"}, "--device: .*cuda|CUDA"),
    ],
    ids=["workers", "no time", "no device", "in vain", "no cuda"],
)
def test_mistakes(space_file: Path, tmp_path: Path, options: dict[str, object], match: str) -> None:
    with pytest.raises(SpecError, match=match):
        run(space_file, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_times_far_from_what_macs_suggest_are_told(found: SearchResult) -> None:
    times = [
        member.macs / 1e6 * (2.5 if member.number == 3 else 1.1 if member.number % 2 else 1.0)
        for member in found.members
    ]
    members = tuple(
        dataclasses.replace(member, latency_ms=time) for member, time in zip(found.members, times, strict=True)
    )
    misleading = find_misleading_macs(members)
    assert list(misleading) == [3]
    assert misleading[3] == pytest.approx(2.5, abs=0.3)
    assert find_misleading_macs(members[:2]) == find_misleading_macs(found.members) == {}
    table = front_table(dataclasses.replace(found, members=members, front=(members[3],)))
    assert "x for its MACs)" in str(list(table.columns[-1].cells))
