"""Studies that survive: repeatable, resumable, and safe with what they have."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from searches import BUDGET, run, told
from typer.testing import CliRunner

import explorer.evaluators.params as params
import hiri_spec
from explorer.command import app
from explorer.results import Failed, Member, SearchResult
from explorer.watching import Watcher
from hiri_spec import SpecError

ROOT = Path(__file__).parent.parent.parent


def test_one_seed_one_search(space_file: Path, tmp_path: Path, found: SearchResult) -> None:
    assert told(run(space_file, tmp_path / "again")) == told(found)
    assert told(run(space_file, tmp_path / "other", seed=1)) != told(found)


@pytest.mark.parametrize("objective", ["pareto", "score"])
def test_resuming_goes_on_as_if_never_stopped(space_file: Path, tmp_path: Path, objective: str) -> None:
    whole = run(space_file, tmp_path / "whole", trials=60, objective=objective)
    for trials in (7, 30, 60):
        parts = run(space_file, tmp_path / "parts", trials=trials, objective=objective)
    assert told(parts) == told(whole)


def test_a_finished_search_is_told_again(space_file: Path, found: SearchResult) -> None:
    journal = (found.out / "study.journal").read_bytes()
    again = run(space_file, found.out)
    assert told(again) == told(found)
    assert (found.out / "study.journal").read_bytes() == journal


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"seed": 3}, "seed was 0, is 3"),
        ({"evaluator": "naswot"}, "evaluator was params, is naswot"),
        ({"objective": "score"}, "objective was pareto, is score"),
        ({"resolution": 72}, "resolution was 64, is 72"),
        ({"stages": [3]}, "space was .*stages was None, is 3"),
        ({"max_params": "1m"}, "max_params was None, is 1000000"),
        ({"set": {"stem.width": 8}}, "space was small.yaml .*, is small.yaml"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_folder_of_another_search_is_left_alone(
    space_file: Path, found: SearchResult, options: dict[str, object], difference: str
) -> None:
    before = {path: path.read_bytes() for path in found.out.rglob("*") if path.is_file() and path.name != ".lock"}
    with pytest.raises(SpecError, match=rf"holds another search: {difference}.*Nothing there was changed"):
        run(space_file, found.out, **options)
    assert {path: path.read_bytes() for path in before} == before


def test_a_disk_that_is_full_from_the_start(space_file: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to("/dev/full")
    with pytest.raises(SpecError, match=r"--out: .*run cannot be written: .*; make room there, or name another folder"):
        run(space_file, tmp_path / "run")


@pytest.mark.slow
def test_a_killed_search_goes_on(space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After kill -9, in a folder named relative to here, whatever locks the process had left behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    options = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params", "--out", "run"]
    process = subprocess.Popen(
        [sys.executable, "-m", "explorer.search", *options, "--trials", "100000"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    journal = tmp_path / "run" / "study.journal"
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size > 20_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    Path("run/study.journal.lock").symlink_to("run/study.journal")  # as Optuna's own lock would lie there
    kept = journal.read_bytes().count(b'"op_code":4')
    again = run(space_file, Path("run"), trials=kept + 2)
    assert len(again.members) == kept + 2
    assert told(again) == told(run(space_file, tmp_path / "whole", trials=kept + 2))


def test_a_full_disk_keeps_the_trials_before(space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.study import SearchStudy

    class Full:
        def __init__(self, inner: Any) -> None:
            self.inner, self.writes = inner, 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def add_trial(self, trial: Any) -> None:
            self.writes += 1
            if self.writes > 3:
                with (tmp_path / "run" / "study.journal").open("ab") as journal:
                    journal.write(b'{"op_code":4,"half')
                raise OSError(28, "No space left on device")
            self.inner.add_trial(trial)

    opened = SearchStudy._read
    monkeypatch.setattr(SearchStudy, "_read", lambda self, *rest: Full(opened(self, *rest)))
    with pytest.raises(SpecError, match=r"does not take trial 3: No space left on device; those before it are kept"):
        run(space_file, tmp_path / "run")
    assert len((tmp_path / "run" / "trials.csv").read_text().splitlines()) == 1 + 3
    assert (tmp_path / "run" / "best.yaml").exists()
    monkeypatch.undo()
    assert told(run(space_file, tmp_path / "run")) == told(run(space_file, tmp_path / "whole"))


def test_what_was_found_before_a_failure_is_on_the_screen(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, spec: hiri_spec.ModelSpec, seed: int) -> float:
        if (tmp_path / "run/study.journal").read_bytes().count(b'"op_code":4') >= 3:
            raise RuntimeError("out of memory")
        return 1.0

    monkeypatch.setattr(params.Params, "__call__", fail)
    arguments = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    assert isinstance(result.exception, SpecError)
    assert "5 evaluations in a row failed, the last one, of trial 7: RuntimeError: out of memory" in str(
        result.exception
    )
    assert "trial 3 failed: RuntimeError: out of memory" in result.stderr
    assert f"the front of 3 trials; best: {tmp_path / 'run' / 'best.yaml'}" in result.stdout


def test_a_fault_of_ours_loses_nothing_either(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Watcher):
        def tried(self, member: Member, best: Member) -> None:
            if member.number == 2:
                raise ZeroDivisionError("ours")

    with pytest.raises(ZeroDivisionError, match="ours"):
        run(space_file, tmp_path / "run", watcher=Broken())
    assert len((tmp_path / "run" / "trials.csv").read_text().splitlines()) == 1 + 3


def test_an_unknown_evaluator_leaves_no_trace(space_file: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="unknown evaluator 'parms'"):
        run(space_file, tmp_path / "run", evaluator="parms")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_no_number(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, score: float
) -> None:
    own = params.Params.__call__
    seen: list[str] = []

    def fail_once(self: params.Params, spec: hiri_spec.ModelSpec, seed: int) -> float:
        seen.append(spec.name)
        return score if len(seen) == 4 else own(self, spec, seed)

    class Notes(Watcher):
        def failed(self, failed: Failed) -> None:
            told_failures.append((failed.number, failed.reason, failed.file.name))

    told_failures: list[tuple[int, str, str]] = []
    monkeypatch.setattr(params.Params, "__call__", fail_once)
    result = run(space_file, tmp_path / "run", watcher=Notes())
    assert told_failures == [(3, f"the score is {score}", "failed-3.yaml")]
    assert [member.number for member in result.members] == [0, 1, 2, *range(4, 13)]
    failed = hiri_spec.load(tmp_path / "run" / "failed-3.yaml")
    assert failed not in [member.spec.model_copy(update={"name": failed.name}) for member in result.members]
    assert (tmp_path / "run" / "failed-3.txt").read_text() == f"the score is {score}\n"
    assert told(run(space_file, tmp_path / "run")) == told(result)


def test_two_at_once(space_file: Path, found: SearchResult) -> None:
    class Second(Watcher):
        def tried(self, member: Member, best: Member) -> None:
            with pytest.raises(SpecError, match=rf"another search \(process {os.getpid()}\) is writing"):
                run(space_file, found.out)

    assert len(run(space_file, found.out, trials=13, watcher=Second()).members) == 13


def test_an_evaluator_that_fails_keeps_the_rest(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_later(self: object, spec: hiri_spec.ModelSpec, seed: int) -> float:
        if (tmp_path / "run/study.journal").stat().st_size > 8000:
            raise RuntimeError("out of memory")
        return 1.0

    monkeypatch.setattr(params.Params, "__call__", fail_later)
    with pytest.raises(
        SpecError,
        match=r"5 evaluations in a row failed, .* of trial \d+: RuntimeError: out of memory; the trials before are",
    ):
        run(space_file, tmp_path / "run")
    failed = sorted((tmp_path / "run").glob("failed-*.yaml"))
    assert len(failed) == 5
    assert hiri_spec.load(failed[0]).name == "small"
    assert "raise RuntimeError" in failed[0].with_suffix(".txt").read_text()
    monkeypatch.undo()
    assert len(run(space_file, tmp_path / "run").members) == 12
