"""Hopeless evaluations are stopped: by what the others had at the same step, and the same way when a search goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from searches import run, told

from explorer.names import PRUNER_NAMES
from explorer.pruning import PRUNERS, Pruning
from explorer.trials import Trial, Unscored
from hiri_spec import SpecError


def steps(tmp_path: Path) -> dict[int, int]:
    """The last step of each evaluation, by its seed."""
    lines = (tmp_path / "steps").read_text().splitlines()
    return {int(seed): int(step) for seed, step in (line.split() for line in lines)}


def teach(pruning: Pruning, scores: list[float], steps: int = 4) -> None:
    for number, score in enumerate(scores):
        reports = {step: score * step for step in range(1, steps + 1)}
        pruning.remember(Trial(number, {}, score * steps, 1, 1, 0.0, reports=reports))


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
    pruning.remember(Unscored(5, {}, "ValueError: no", {2: 100.0}, has_failed=True))
    assert not pruning.is_hopeless(6, 2, 0.0)


@pytest.mark.parametrize("name", PRUNER_NAMES)
def test_what_is_remembered_is_as_what_was_seen(name: str) -> None:
    """Failed trials too, and the brackets that Hyperband deals out."""
    live, ends = Pruning(name), {}
    for number in range(40):
        score, reports, is_stopped = float(number * 37 % 23), {}, False
        for step in range(1, 10):
            reports[step] = score * step
            if is_stopped := live.is_hopeless(number, step, reports[step]):
                break
        if number % 7 == 3:
            live.forget(number)
            ends[number] = Unscored(number, {}, "", reports, has_failed=True)
        elif is_stopped:
            live.end(number, None)
            ends[number] = Unscored(number, {}, "", reports, has_failed=False)
        else:
            live.end(number, score * 9)
            ends[number] = Trial(number, {}, score * 9, 1, 1, 0.0, reports=reports)
    for cut in (11, 25, 40):
        again = Pruning(name)
        for number in range(cut):
            again.remember(ends[number])
        for number in range(cut, 40):
            stopped = [again.is_hopeless(number, step, value) for step, value in ends[number].reports.items()]
            seen = isinstance(ends[number], Unscored) and not ends[number].has_failed
            assert stopped[-1] == seen or number % 7 == 3
            if isinstance(ends[number], Unscored) and ends[number].has_failed:
                again.forget(number)
            else:
                again.end(number, ends[number].score if isinstance(ends[number], Trial) else None)


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
    with pytest.raises(SpecError, match="--pruner: params tell nothing on their way by which they could be stopped"):
        run(space_file, tmp_path / "run", pruner="median")
    with pytest.raises(SpecError, match="--pruner: unknown pruner 'medain'; did you mean 'median'"):
        run(space_file, tmp_path / "run", pruner="medain")
    assert not (tmp_path / "run").exists()
