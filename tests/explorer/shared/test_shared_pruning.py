"""Hopeless evaluations in a shared study: stopped once for all, and counted by everybody."""

from __future__ import annotations

from pathlib import Path

from searches import run, told

from explorer.results import SearchResult


def stopped(result: SearchResult) -> list[tuple[int, str]]:
    return [(trial.number, trial.reason) for trial in result.stopped]


def test_what_one_process_stopped_another_knows(space_file: Path, tmp_path: Path, storage: str, reporting: str) -> None:
    """By one process after the other it is the search that one alone makes with a journal."""
    options = {"evaluator": reporting, "objective": "score"}
    alone = run(space_file, tmp_path / "alone", trials=14, **options)
    assert stopped(alone)
    first = run(space_file, tmp_path / "first", trials=9, storage=storage, study="ours", **options)
    second = run(space_file, tmp_path / "second", trials=14, storage=storage, study="ours", **options)
    assert told(first) == told(alone)[: len(first.members)]
    assert (told(second), stopped(second)) == (told(alone), stopped(alone))
    assert second.trials.drop(columns="seconds").equals(alone.trials.drop(columns="seconds"))
