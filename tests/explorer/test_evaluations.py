"""Evaluating in processes: whatever an evaluator does, the search hears of it and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from signals import ctrl_c_in_another_thread

import hiri_spec
from explorer.evaluation.here import Here
from explorer.evaluation.outcome import Task
from explorer.evaluation.processes import Processes
from explorer.evaluators import choose
from hiri_spec import SpecError


def go_on(number: int, step: int, value: float) -> bool:
    """Stop nothing."""
    return False


SPEC = hiri_spec.load("tiny")
EVALUATORS = """
import os
import signal
import time


def count(spec, seed):
    return seed / 2


def broken(spec, seed):
    raise ValueError(f"no score for {spec.name}")


def no_number(spec, seed):
    return float("nan")


def nothing(spec, seed):
    return None


def hanging(spec, seed):
    time.sleep(60 if seed == 1 else 0)
    return 1.0


def killed(spec, seed):
    if seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


def leaving(spec, seed):
    os._exit(3)


def patient(spec, seed):
    time.sleep(0.3)
    return os.getpid()


def loud(spec, seed):
    print("scoring")
    return 1.0
"""


@pytest.fixture
def evaluator(tmp_path: Path) -> str:
    """The path of a file of evaluators, up to their names."""
    path = tmp_path / "mine.py"
    path.write_text(EVALUATORS)
    return f"{path}:"


def task(seed: int, number: int = 0) -> Task:
    return Task(number, hiri_spec.load("tiny"), seed)


@pytest.mark.parametrize("is_apart", [False, True], ids=["here", "apart"])
@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("count", ""),
        ("broken", "ValueError: no score for tiny"),
        ("no_number", "the score is nan"),
        ("nothing", "it returned nothing; let it return a number"),
    ],
)
def test_what_comes_of_it(evaluator: str, name: str, failure: str, is_apart: bool) -> None:
    chosen = choose(evaluator + name)
    with Processes(chosen, 1, report=go_on) if is_apart else Here(chosen, go_on) as evaluation:
        assert evaluation.is_free
        evaluation.submit(task(4, number=7))
        assert not evaluation.is_free
        outcome = evaluation.next()
        assert evaluation.is_free
    assert (outcome.number, outcome.failure) == (7, failure)
    assert outcome.score == (None if failure else 2.0)
    assert ("raise ValueError" in outcome.traceback) == (name == "broken")


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("hanging", "it took longer than 0.5 s"),
        ("killed", "its process was killed by signal 9, as it is where memory runs out"),
        ("leaving", "its process ended with status 3"),
    ],
)
def test_a_process_that_is_lost_is_replaced(evaluator: str, name: str, failure: str) -> None:
    with Processes(choose(evaluator + name), 1, timeout_s=0.5, report=go_on) as evaluation:
        evaluation.submit(task(1))
        outcome = evaluation.next()
        assert (outcome.score, outcome.failure) == (None, failure)
        evaluation.submit(task(2, number=1))
        assert evaluation.next().number == 1


@pytest.mark.parametrize("bad", ["'a', 1.0", "-1, 1.0", "1, 'high'", "1, float('nan')", "1.5, 1.0"])
@pytest.mark.parametrize("is_apart", [False, True], ids=["here", "apart"])
def test_a_report_that_is_none_fails_its_evaluation(tmp_path: Path, bad: str, is_apart: bool) -> None:
    (tmp_path / "own.py").write_text(f"def score(spec, seed, report):\n    report({bad})\n    return 1.0\n")
    chosen = choose(f"{tmp_path}/own.py:score")
    with Processes(chosen, 1, report=go_on) if is_apart else Here(chosen, go_on) as evaluation:
        evaluation.submit(Task(0, SPEC, 0))
        outcome = evaluation.next()
    assert outcome is not None
    assert outcome.failure.startswith(("TypeError", "ValueError"))
    assert "report" in outcome.traceback


def test_reasons_are_one_short_line(tmp_path: Path) -> None:
    text = "def score(spec, seed):\n    raise ValueError('\\x1b[31m' + 'red\\n' * 10_000)\n"
    (tmp_path / "own.py").write_text(text)
    evaluation = Here(choose(f"{tmp_path}/own.py:score"), go_on)
    evaluation.submit(Task(0, SPEC, 0))
    outcome = evaluation.next()
    assert outcome.failure.isprintable()
    assert outcome.failure.startswith("ValueError: [31mred red")
    assert len(outcome.failure) < 320
    assert len(outcome.traceback) > 40_000


def test_what_an_evaluator_has_started_and_left_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import subprocess, sys, tempfile, time\n\n"
        "def score(spec, seed):\n"
        "    folder = tempfile.mkdtemp()\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        f"    open({str(tmp_path / 'started')!r}, 'w').write(f'{{child.pid}} {{folder}}')\n"
        "    time.sleep(300)\n"
    )
    with Processes(choose(f"{tmp_path}/own.py:score"), 1, timeout_s=2, report=go_on) as evaluation:
        evaluation.submit(Task(0, SPEC, 0))
        outcome = evaluation.next()
    assert outcome is not None
    assert outcome.failure == "it took longer than 2 s"
    process, folder = (tmp_path / "started").read_text().split()
    assert not Path(folder).exists()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{process}").exists() and "zombie" not in Path(f"/proc/{process}/status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_several_at_once(evaluator: str) -> None:
    with Processes(choose(f"{evaluator}patient"), 2, report=go_on) as evaluation:
        for number in (0, 1):
            evaluation.submit(task(0, number))
        assert (evaluation.running, evaluation.is_free) == (2, False)
        first, second = evaluation.next(), evaluation.next()
        assert {first.number, second.number} == {0, 1}
        assert first.score != second.score  # process ids
        pids = [int(outcome.score or 0) for outcome in (first, second)]
        for pid in pids:
            os.kill(pid, 0)
    for pid in pids:
        with pytest.raises(ProcessLookupError, match="No such process"):
            os.kill(pid, 0)


def test_an_evaluator_that_is_there_no_longer(evaluator: str, tmp_path: Path) -> None:
    chosen = choose(f"{evaluator}count")
    (tmp_path / "mine.py").unlink()
    with Processes(chosen, 1, report=go_on) as evaluation:
        evaluation.submit(task(0))
        with pytest.raises(SpecError, match=r"there is no file .*mine\.py"):
            evaluation.next()


def test_what_it_prints_is_no_result(evaluator: str, capfd: pytest.CaptureFixture[str]) -> None:
    with Processes(choose(f"{evaluator}loud"), 1, report=go_on) as evaluation:
        evaluation.submit(task(0))
        evaluation.next()
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "scoring\n")


def test_ctrl_c_that_another_thread_takes(evaluator: str) -> None:
    """It isn't kept until the evaluation is through."""
    with Processes(choose(f"{evaluator}hanging"), 1, report=go_on) as evaluation:
        evaluation.submit(task(0))
        evaluation.next()
        evaluation.submit(task(1))
        began = time.monotonic()
        with ctrl_c_in_another_thread(0.2), pytest.raises(KeyboardInterrupt, match=r"^$"):
            evaluation.next()
    assert time.monotonic() - began < 20


PARENT = """
import sys
import hiri_spec
from explorer.evaluation.outcome import Task
from explorer.evaluation.processes import Processes
from explorer.evaluators import choose

with Processes(choose(sys.argv[1]), 1, report=print) as evaluation:
    evaluation.submit(Task(0, hiri_spec.load("tiny"), 0))
    print(int(evaluation.next().score), flush=True)
    evaluation.submit(Task(1, hiri_spec.load("tiny"), 1))
    evaluation.next()
"""
"""Tells the process that evaluates, and waits for one that takes its time; a script without `if __name__`."""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_processes_end_with_their_parent(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "mine.py"
    path.write_text("import os, time\ndef score(spec, seed):\n    time.sleep(60 * seed)\n    return os.getpid()\n")
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, str(script), f"{path}:score"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.2)
        parent.send_signal(number)
        parent.wait(20)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
