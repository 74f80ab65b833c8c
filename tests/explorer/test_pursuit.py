"""The loop of a search: several networks at once, failures, and trials that a killed search has left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from searches import BUDGET, run, told

import hiri_spec
from explorer.evaluators import params
from explorer.pursuit import evaluation_seed
from explorer.watching import Watcher
from hiri_spec import SpecError

SLOW = """
import os, time
from hiri_spec import cost

def score(spec, seed):
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(f"{seed}\\n")
    time.sleep(float(os.environ["PAUSE_S"]))
    return cost(spec).params / 1e6
"""


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "study.journal").read_text().splitlines()]


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "mine.py").write_text(SLOW)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("PAUSE_S", "0")
    return f"{tmp_path}/mine.py:score"


def calls(tmp_path: Path) -> list[int]:
    return [int(line) for line in (tmp_path / "calls").read_text().splitlines()]


def test_in_a_process_of_its_own_it_is_the_same_search(space_file: Path, tmp_path: Path, slow: str) -> None:
    here = run(space_file, tmp_path / "here")
    apart = run(space_file, tmp_path / "apart", evaluator=slow)
    assert told(apart) == told(here)
    assert calls(tmp_path) == [evaluation_seed(0, number) for number in range(12)]
    for trials in (5, 12):
        parts = run(space_file, tmp_path / "parts", evaluator=slow, trials=trials)
    assert told(parts) == told(apart)


@pytest.mark.parametrize("workers", [2, 3])
def test_several_workers(space_file: Path, tmp_path: Path, slow: str, workers: int) -> None:
    result = run(space_file, tmp_path / "run", evaluator=slow, trials=20, workers=workers)
    assert [member.number for member in result.members] == list(range(20))
    assert len({member.spec.model_copy(update={"name": "x"}) for member in result.members}) == 20
    for member in result.members:
        assert member.score == pytest.approx(hiri_spec.cost(member.spec).params / 1e6)
    assert sorted(calls(tmp_path)) == sorted(evaluation_seed(0, number) for number in range(20))


@pytest.mark.parametrize("workers", [1, 2])
def test_kill_9_loses_nothing(space_file: Path, tmp_path: Path, slow: str, workers: int) -> None:
    """What was finished is there, and what was under way is evaluated again by its old number and seed."""
    options = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", slow, "--out", str(tmp_path / "run")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PAUSE_S": "0.2"}
    with subprocess.Popen(
        [sys.executable, "-m", "explorer.search", *options, "--trials", "1000", "--workers", str(workers)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "calls").exists() or len(calls(tmp_path)) < 6:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
    begun = sum(record["op_code"] == 4 for record in records(tmp_path / "run"))
    ended = [record for record in records(tmp_path / "run") if record["op_code"] == 6]
    assert begun > len(ended) >= 6 - workers
    result = run(space_file, tmp_path / "run", evaluator=slow, trials=begun + 3, workers=workers)
    assert [member.number for member in result.members] == list(range(begun + 3))
    again = [seed for seed in set(calls(tmp_path)) if calls(tmp_path).count(seed) > 1]
    assert set(again) <= {evaluation_seed(0, number) for number in range(len(ended), begun)}
    if workers == 1:
        assert told(result) == told(run(space_file, tmp_path / "whole", trials=begun + 3))


def test_stopping_politely_is_held_against_no_trial(
    space_file: Path, tmp_path: Path, slow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: object, patience_s: float | None) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("explorer.evaluation.processes.Processes.next", stop)
        for _ in range(5):
            assert run(space_file, tmp_path / "run", evaluator=slow, workers=2).was_interrupted
    result = run(space_file, tmp_path / "run", evaluator=slow, workers=2)
    assert not result.failed
    assert [member.number for member in result.members] == list(range(12))


def test_what_kills_the_search_is_given_up(
    space_file: Path, tmp_path: Path, slow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three times it is the trial that is at fault, and not the machine."""

    class Killed(BaseException):
        pass

    def die(self: object, patience_s: float | None) -> None:
        raise Killed("as by kill -9")

    with monkeypatch.context() as patched:
        patched.setattr("explorer.evaluation.processes.Processes.next", die)
        patched.setattr("explorer.study.SearchStudy.__exit__", lambda *arguments: None)  # which a kill leaves out
        for _ in range(3):
            with pytest.raises(Killed, match="as by kill -9"):
                run(space_file, tmp_path / "run", evaluator=slow)
    failures: list[str] = []

    class Notes(Watcher):
        def failed(self, failed: Any) -> None:
            failures.append(failed.reason)

    result = run(space_file, tmp_path / "run", evaluator=slow, watcher=Notes())
    assert failures == ["it was interrupted 3 times"]
    assert [member.number for member in result.members] == list(range(1, 13))


def test_a_trial_that_takes_too_long(space_file: Path, tmp_path: Path, slow: str) -> None:
    (tmp_path / "mine.py").write_text(
        "import time\n\ndef score(spec, seed):\n    time.sleep(5 * (seed % 2))\n    return 1\n"
    )
    result = run(space_file, tmp_path / "run", evaluator=slow, trials=4, trial_timeout="300ms")
    odd = [number for number in range(result.members[-1].number) if evaluation_seed(0, number) % 2]
    assert not {member.number for member in result.members} & set(odd)
    for number in odd:
        assert (tmp_path / "run" / f"failed-{number}.txt").read_text() == "it took longer than 0.3 s\n"


def test_failures_in_a_row_only(space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = params.Params.__call__
    count = iter(range(1000))

    def fail_often(self: params.Params, spec: hiri_spec.ModelSpec, seed: int) -> float:
        if next(count) % 5:
            raise MemoryError("no room")
        return own(self, spec, seed)

    monkeypatch.setattr(params.Params, "__call__", fail_often)
    assert len(run(space_file, tmp_path / "run", trials=4).members) == 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"workers": 0}, "--workers: 0 is no number of workers; give a whole number from 1 to 1024, like 2"),
        ({"workers": 2.5}, "--workers: 2.5 is no number of workers"),
        ({"trial_timeout": "soon"}, "--trial-timeout: 'soon' is no time; write it like 90s, 5m or 1.5h"),
        ({"trial_timeout": 0}, "--trial-timeout: '0' is 0 seconds; use more than 0 and below 1e9"),
    ],
    ids=str,
)
def test_what_is_refused(space_file: Path, tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        run(space_file, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_ctrl_c_ends_the_processes_too(space_file: Path, tmp_path: Path, slow: str) -> None:
    options = ["--budget", BUDGET, "--space", str(space_file), "--evaluator", slow, "--out", str(tmp_path / "run")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PAUSE_S": "0.2"}
    with subprocess.Popen(
        [sys.executable, "-m", "explorer.search", *options, "--workers", "2"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "calls").exists() or len(calls(tmp_path)) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of them
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Same command to go on" in err
    with pytest.raises(ProcessLookupError, match="No such process"):
        os.killpg(process.pid, 0)
