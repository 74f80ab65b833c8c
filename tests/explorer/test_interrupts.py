"""Ctrl-C at any time: what is finished is kept, written and told."""

import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from searches import BUDGET, run, told
from typer.testing import CliRunner

from explorer import study
from explorer.command import app
from explorer.evaluators.params import Params
from explorer.interrupts import ended_by_sigterm, surfaced, undivided
from explorer.results import Member
from explorer.screen import Screen
from explorer.watching import Watcher
from hiri_spec import ModelSpec


def test_ctrl_c_keeps_what_is_finished(space_file: Path, tmp_path: Path) -> None:
    class Stop(Watcher):
        def tried(self, member: Member, best: Member) -> None:
            if member.number == 4:
                raise KeyboardInterrupt

    result = run(space_file, tmp_path / "run", watcher=Stop())
    assert result.was_interrupted
    assert len(result.members) == 5
    assert (result.out / "best.yaml").exists()
    assert told(run(space_file, tmp_path / "run")) == told(run(space_file, tmp_path / "whole"))


@pytest.mark.parametrize("place", ["SearchStudy._end", "read_trial"])
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
    assert len(result.members) == 4
    assert (tmp_path / "run" / "study.journal").read_bytes().count(b'"op_code":4') == 4
    with pytest.raises(KeyboardInterrupt, match=r"^$"):  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)


def test_a_search_in_a_thread(space_file: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert len(pool.submit(run, space_file, tmp_path / "run").result().members) == 12


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


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN], ids=["as usual", "no Ctrl-C"])
def test_sigterm_ends_as_ctrl_c_does(handler: Any) -> None:
    before = signal.signal(signal.SIGINT, handler)
    known = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(KeyboardInterrupt, match=r"^$"), ended_by_sigterm() as received:
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)
    assert received == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) == known


def test_sigterm_is_put_off_too() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt, match=r"^$"), ended_by_sigterm(), undivided():  # noqa: PT012
        signal.raise_signal(signal.SIGTERM)
        done.append("whole")
    assert done == ["whole"]


def compare_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while numpy's C code waits for Python code, of whose exceptions it makes a TypeError."""
    from numpy._core import _internal

    own = _internal.promote_types

    def interrupted(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return own(*arguments)

    records = np.zeros(2, dtype=[("width", float)])
    with monkeypatch.context() as patch:
        patch.setattr(_internal, "promote_types", interrupted)
        _ = records != records


def lose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C where an exception can't be told to anybody, which Python says on stderr and goes on."""

    class Interrupted:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr("sys.unraisablehook", lambda unraisable: None)
        Interrupted()


@pytest.mark.parametrize("stop", [compare_records, lose])
def test_ctrl_c_that_a_library_makes_something_else_of(
    stop: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=r"^$"), surfaced():
        stop(monkeypatch)
    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_no_ctrl_c_is_left_alone() -> None:
    with pytest.raises(TypeError, match="mine"), surfaced():
        raise TypeError("mine")


@pytest.mark.parametrize("stop", [compare_records, lose])
def test_such_a_ctrl_c_while_a_network_is_scored_is_no_failure_of_the_network(
    space_file: Path, tmp_path: Path, stop: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def score(self: Params, spec: ModelSpec, seed: int) -> float:
        if len(scored) == 3:
            stop(monkeypatch)
        scored.append(spec)
        return float(seed)

    scored: list[ModelSpec] = []
    monkeypatch.setattr(Params, "__call__", score)
    result = run(space_file, tmp_path / "run")
    assert result.was_interrupted
    assert (len(result.members), result.failed) == (3, ())


def test_such_a_ctrl_c_while_a_network_is_drawn(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(self: study.SearchStudy) -> object:
        if len(asked) == 3:
            compare_records(monkeypatch)
        asked.append(self)
        return own(self)

    own = study.SearchStudy.ask
    asked: list[object] = []
    monkeypatch.setattr(study.SearchStudy, "ask", ask)
    result = run(space_file, tmp_path / "run")
    assert result.was_interrupted
    assert len(result.members) == 3
    assert (result.out / "report.html").exists()


def test_such_a_ctrl_c_while_the_files_are_written(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.report.draw_png", lambda *arguments: compare_records(monkeypatch))
    result = run(space_file, tmp_path / "run")
    assert (result.was_interrupted, result.ending) == (True, "not all files were written anew")
    assert len(result.members) == 12
