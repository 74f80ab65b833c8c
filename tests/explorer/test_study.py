"""Studies that survive: repeatable, resumable, and safe with what they have."""

import operator
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import BUDGET, run, told
from typer.testing import CliRunner

import explorer.evaluators.params as params
import hiri_spec
from explorer import study
from explorer.command import Screen, app
from explorer.results import Member, SearchResult
from explorer.search import Watcher
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


def test_a_half_written_last_line_is_cut_off(space_file: Path, tmp_path: Path, found: SearchResult) -> None:
    journal = found.out / "study.journal"
    content = journal.read_bytes()
    journal.write_bytes(content[:-20])
    again = run(space_file, found.out)
    assert told(again) == told(found)
    assert journal.read_bytes().count(b"\n") == content.count(b"\n")


def test_a_damaged_journal_is_told_and_left_alone(space_file: Path, found: SearchResult) -> None:
    journal = found.out / "study.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:2], b"\0\0\0\n", *lines[3:]]))
    before = journal.read_bytes()
    with pytest.raises(SpecError, match=r"study\.journal:3: is damaged, this line is no JSON; .* move the file away"):
        run(space_file, found.out)
    assert journal.read_bytes() == before


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b'{"a":1}', "no record of a search"),
        (b"[]", "no record of a search"),
        (b'{"op_code":4,"worker_id":"x"}', r"no record that Optuna can read \(KeyError: 'study_id'\)"),
        (b'{"op_code":77,"worker_id":"x"}', r"no record that Optuna can read \(AssertionError"),
        (b'{"op_code":4,"worker_id":"x","study_id":0,"state":1}', r"no record that Optuna can read \(KeyError"),
    ],
    ids=["another", "list", "half", "unknown", "empty-trial"],
)
def test_a_line_that_is_no_record(space_file: Path, found: SearchResult, line: bytes, what: str) -> None:
    journal = found.out / "study.journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole + line + b"\n")
    with pytest.raises(SpecError, match=rf"journal:15: is damaged, this line is {what}.*take the line out to go on"):
        run(space_file, found.out)
    assert journal.read_bytes() == whole + line + b"\n"
    journal.write_bytes(whole)
    assert told(run(space_file, found.out)) == told(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"macs":', b'"mac":'),
        (b'"params":{"', b'"params":{"x'),
        (b'"values":[', b'"values":[NaN,'),
        (b'"state":1', b'"state":0'),
    ],
    ids=["facts", "parameters", "values", "state"],
)
def test_a_trial_of_another_kind(space_file: Path, found: SearchResult, old: bytes, new: bytes) -> None:
    journal = found.out / "study.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    assert old in lines[6]
    journal.write_bytes(b"".join([*lines[:6], lines[6].replace(old, new), *lines[7:]]))
    with pytest.raises(SpecError, match=r"study\.journal:7: is damaged, this line is no "):
        run(space_file, found.out)
    journal.write_bytes(b"".join([*lines[:6], *lines[7:]]))
    assert len(run(space_file, found.out).trials) == 12


def test_a_damaged_head_of_a_journal(space_file: Path, found: SearchResult) -> None:
    """Without its first line no trial can be read, so taking it out is no way."""
    journal = found.out / "study.journal"
    journal.write_bytes(b"{}\n" + journal.read_bytes().split(b"\n", 1)[1])
    with pytest.raises(SpecError, match=r"journal:1: is damaged, .*; nothing was changed; move the file away"):
        run(space_file, found.out)


def test_a_disk_that_is_full_from_the_start(space_file: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to("/dev/full")
    with pytest.raises(SpecError, match=r"--out: .*run cannot be written: .*; make room there, or name another folder"):
        run(space_file, tmp_path / "run")


def test_a_folder_where_the_journal_belongs(space_file: Path, tmp_path: Path) -> None:
    (tmp_path / "run" / "study.journal").mkdir(parents=True)
    with pytest.raises(SpecError, match=r"run/study\.journal cannot be used: Is a directory"):
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
    assert len(again.trials) == kept + 2
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

    opened = SearchStudy._open
    monkeypatch.setattr(SearchStudy, "_open", lambda self, *rest: Full(opened(self, *rest)))
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
        if list(tmp_path.glob("run/*")) and (tmp_path / "run/study.journal").read_bytes().count(b'"op_code":4') == 3:
            raise RuntimeError("out of memory")
        return 1.0

    monkeypatch.setattr(params.Params, "__call__", fail)
    arguments = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    assert isinstance(result.exception, SpecError)
    assert "the evaluator failed on trial 3" in str(result.exception)
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

    monkeypatch.setattr(params.Params, "__call__", fail_once)
    with pytest.raises(SpecError, match=rf"trial 3: ArithmeticError: the score is {score}; .* next network"):
        run(space_file, tmp_path / "run")
    assert (tmp_path / "run" / "best.yaml").exists()
    result = run(space_file, tmp_path / "run")
    assert [member.number for member in result.trials] == [0, 1, 2, *range(4, 13)]
    failed = hiri_spec.load(tmp_path / "run" / "failed-3.yaml")
    assert failed not in [member.spec.model_copy(update={"name": failed.name}) for member in result.trials]


def test_two_at_once(space_file: Path, found: SearchResult) -> None:
    class Second(Watcher):
        def tried(self, member: Member, best: Member) -> None:
            with pytest.raises(SpecError, match=rf"another search \(process {os.getpid()}\) is writing"):
                run(space_file, found.out)

    assert len(run(space_file, found.out, trials=13, watcher=Second()).trials) == 13


def test_an_evaluator_that_fails_keeps_the_rest(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_later(self: object, spec: hiri_spec.ModelSpec, seed: int) -> float:
        if len(list(tmp_path.glob("run/study.journal"))) and (tmp_path / "run/study.journal").stat().st_size > 8000:
            raise RuntimeError("out of memory")
        return 1.0

    monkeypatch.setattr(params.Params, "__call__", fail_later)
    with pytest.raises(
        SpecError, match=r"failed on trial \d+: RuntimeError: out of memory; the trials before are kept"
    ):
        run(space_file, tmp_path / "run")
    (spec,) = (tmp_path / "run").glob("failed-*.yaml")
    assert hiri_spec.load(spec).name == "small"
    assert "out of memory" in spec.with_suffix(".txt").read_text()
    monkeypatch.undo()
    assert len(run(space_file, tmp_path / "run").trials) == 12


def test_ctrl_c_keeps_what_is_finished(space_file: Path, tmp_path: Path) -> None:
    class Stop(Watcher):
        def tried(self, member: Member, best: Member) -> None:
            if member.number == 4:
                raise KeyboardInterrupt

    result = run(space_file, tmp_path / "run", watcher=Stop())
    assert result.was_interrupted
    assert len(result.trials) == 5
    assert (result.out / "best.yaml").exists()
    assert told(run(space_file, tmp_path / "run")) == told(run(space_file, tmp_path / "whole"))


@pytest.mark.parametrize("place", ["SearchStudy._keep", "_read"])
def test_ctrl_c_while_a_trial_is_written(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """It is put off, so that what the result tells and what the journal holds are the same."""
    own = operator.attrgetter(place)(study)
    calls: list[object] = []

    def interrupted(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return own(*arguments)

    monkeypatch.setattr(f"explorer.study.{place}", interrupted)
    result = run(space_file, tmp_path / "run")
    assert result.was_interrupted
    assert len(result.trials) == 4
    assert (tmp_path / "run" / "study.journal").read_bytes().count(b'"op_code":4') == 4
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)


def test_a_search_in_a_thread(space_file: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert len(pool.submit(run, space_file, tmp_path / "run").result().trials) == 12


@pytest.mark.parametrize("first", [True, False], ids=["twice", "once"])
def test_ctrl_c_while_the_files_are_written(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    tried = Screen.tried
    if first:
        monkeypatch.setattr(Screen, "tried", lambda self, *rest: (tried(self, *rest), stop()))
    monkeypatch.setattr("explorer.report.draw_png", stop)
    arguments = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", "params", "--trials", "3"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    count = 1 if first else 3
    assert result.exit_code == 130
    assert f"the front of {count} trials" in result.stdout
    assert ("stopped, writing results …" in result.stderr) is first
    ending = f"stopped; {count} trials are kept in {tmp_path / 'run'}; not all files were written anew. Same command"
    assert ending in result.stderr
    assert (tmp_path / "run" / "best.yaml").exists()


@pytest.mark.slow
def test_ctrl_c_on_the_command_line(space_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "explorer.search", "--budget", BUDGET, "--space", str(space_file)]
    command += ["--trials", "100000", "--evaluator", "params", "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    journal = tmp_path / "run" / "study.journal"
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size > 20_000) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "trials are kept in" in err
    assert "the front of" in out
