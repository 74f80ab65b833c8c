"""Hopeless evaluations are stopped: by what the others had at the same step, and the same way when a search goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from searches import run, told

from explorer.names import PRUNER_NAMES
from explorer.pruning import PRUNERS, Pruning
from hiri_spec import SpecError


def steps(tmp_path: Path) -> dict[int, int]:
    """The last step of each evaluation, by its seed."""
    lines = (tmp_path / "steps").read_text().splitlines()
    return {int(seed): int(step) for seed, step in (line.split() for line in lines)}


def teach(pruning: Pruning, scores: list[float], steps: int = 4) -> None:
    for number, score in enumerate(scores):
        pruning.remember(number, {step: score * step for step in range(1, steps + 1)}, score * steps)


def test_every_pruner_has_a_name() -> None:
    assert set(PRUNERS) == set(PRUNER_NAMES)


def test_none_stops_nothing() -> None:
    pruning = Pruning("none")
    teach(pruning, [1.0] * 30)
    assert not any(pruning.is_hopeless(30, step, -1.0) for step in range(1, 5))


def test_the_worse_half_is_stopped_from_the_second_step() -> None:
    pruning = Pruning("median")
    teach(pruning, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert not pruning.is_hopeless(5, 1, 0.0)  # the first step tells little
    assert pruning.is_hopeless(5, 2, 0.0)
    assert not pruning.is_hopeless(6, 2, 2 * 3.5)


@pytest.mark.parametrize("name", ["halving", "hyperband"])
def test_by_rungs_the_hopeless_are_stopped(name: str) -> None:
    pruning = Pruning(name)
    teach(pruning, [float(number) for number in range(1, 31)], steps=9)
    stopped = [any(pruning.is_hopeless(100 + k, step, 0.0) for step in range(1, 10)) for k in range(12)]
    kept = [any(pruning.is_hopeless(200 + k, step, 1e6 * step) for step in range(1, 10)) for k in range(12)]
    assert sum(stopped) > sum(kept) == 0


def test_a_trial_that_failed_is_forgotten() -> None:
    pruning = Pruning("median")
    for number in range(5):
        pruning.is_hopeless(number, 2, 100.0)
        pruning.forget(number)
    assert not pruning.is_hopeless(5, 2, 0.0)


@pytest.mark.parametrize("objective", ["pareto", "score"])
def test_a_search_stops_them_and_goes_on_alike(
    space_file: Path, tmp_path: Path, reporting: str, objective: str
) -> None:
    options = {"evaluator": reporting, "objective": objective, "pruner": "median"}
    whole = run(space_file, tmp_path / "whole", trials=25, **options)
    stopped = {trial.number for trial in whole.stopped}
    assert len(whole.members) + len(stopped) == 25
    assert 3 <= len(stopped) <= 20
    assert stopped.isdisjoint(member.number for member in whole.members)
    assert all(trial.reason.startswith("at step 2 its score was") for trial in whole.stopped)
    assert sorted(steps(tmp_path).values()) == sorted([4] * len(whole.members) + [2] * len(stopped))
    (tmp_path / "steps").unlink()
    for trials in (9, 25):
        parts = run(space_file, tmp_path / "parts", trials=trials, **options)
    assert told(parts) == told(whole)
    assert {(trial.number, trial.reason) for trial in parts.stopped} == {
        (trial.number, trial.reason) for trial in whole.stopped
    }
    assert len(steps(tmp_path)) == 25


def test_stopped_trials_are_in_the_table(space_file: Path, tmp_path: Path, reporting: str) -> None:
    found = run(space_file, tmp_path / "run", trials=20, evaluator=reporting)
    rows = found.trials.set_index("number")
    assert len(rows) == 20
    for trial in found.stopped:
        assert rows.loc[trial.number, "reason"] == trial.reason
        assert rows.loc[trial.number, "macs"] == trial.macs


def test_nothing_to_prune(space_file: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="--pruner: params tells nothing on its way by which it could be stopped"):
        run(space_file, tmp_path / "run", pruner="median")
    with pytest.raises(SpecError, match="--pruner: unknown pruner 'medain'; did you mean 'median'"):
        run(space_file, tmp_path / "run", pruner="medain")
    assert not (tmp_path / "run").exists()
