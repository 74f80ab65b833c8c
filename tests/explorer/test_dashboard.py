"""--dashboard: it sees the trials while they come, writes nothing, and goes when it should."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from searches import BUDGET, run
from signals import ctrl_c_in_another_thread
from typer.testing import CliRunner

from explorer.command import app
from explorer.dashboard import Dashboard
from explorer.dashboard.server import ReadOnlyJournal
from explorer.results import SearchResult
from hiri_spec import SpecError

PATIENCE_S = 60.0
needs_dashboard = pytest.mark.skipif(
    importlib.util.find_spec("optuna_dashboard") is None,
    reason="there is no optuna-dashboard; install the extra report",
)


def ask(address: str, path: str, method: str = "GET", **headers: str) -> Any:
    request = Request(address + path, method=method, data=None if method == "GET" else b"{}", headers=headers)
    with urlopen(request, timeout=PATIENCE_S) as answer:
        return json.loads(answer.read() or b"null")


def is_running(pid: int) -> bool:
    """Whether a process is there, and not only its status, which nobody has asked for."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while is_running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def dashboard(found: SearchResult) -> Iterator[Dashboard]:
    with Dashboard(str(found.out / "study.journal")) as dashboard:
        yield dashboard


@needs_dashboard
def test_it_sees_trials_as_they_come(dashboard: Dashboard, found: SearchResult, space_file: Path) -> None:
    assert dashboard.address.startswith("http://127.0.0.1:")
    (study,) = ask(dashboard.address, "api/studies")["study_summaries"]
    path = f"api/studies/{study['study_id']}?after=0"
    assert len(ask(dashboard.address, path)["trials"]) == 12
    run(space_file, found.out, trials=14)
    deadline = time.monotonic() + PATIENCE_S
    while len(ask(dashboard.address, path)["trials"]) < 14:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with urlopen(f"{dashboard.address}dashboard", timeout=PATIENCE_S) as answer:
        assert b"<title>Optuna Dashboard</title>" in answer.read()


@needs_dashboard
def test_it_writes_nothing(dashboard: Dashboard, found: SearchResult) -> None:
    before = (found.out / "study.journal").read_bytes()
    for method, path in (
        ("DELETE", "api/studies/0"),
        ("PUT", "api/studies/0/note"),
        ("POST", "api/studies"),
        ("POST", "api/trials/0/tell"),
    ):
        with pytest.raises(HTTPError, match="403") as refused:
            ask(dashboard.address, path, method)
        assert b"only reads" in refused.value.read()
    assert len(ask(dashboard.address, "api/studies/0/param_importances")["param_importances"]) == 2
    assert (found.out / "study.journal").read_bytes() == before


@needs_dashboard
def test_a_shared_study(space_file: Path, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'shared.db'}"
    run(space_file, tmp_path / "run", trials=3, storage=storage)
    with Dashboard(storage) as dashboard:
        (study,) = ask(dashboard.address, "api/studies")["study_summaries"]
        assert len(ask(dashboard.address, f"api/studies/{study['study_id']}?after=0")["trials"]) == 3
        with pytest.raises(HTTPError, match="403"):
            ask(dashboard.address, f"api/studies/{study['study_id']}", "DELETE")


@needs_dashboard
def test_it_answers_this_machine_only(dashboard: Dashboard) -> None:
    """A page elsewhere could have its own name lead to 127.0.0.1, and read what is answered."""
    with pytest.raises(HTTPError, match="403"):
        ask(dashboard.address, "api/studies", Host="elsewhere.example:80")
    assert ask(dashboard.address, "api/studies", Host="localhost:9000")


def test_its_journal_refuses_to_be_written(found: SearchResult) -> None:
    journal = ReadOnlyJournal(found.out / "study.journal")
    assert sum(1 for _ in journal.read_logs(0)) > 12
    with pytest.raises(PermissionError, match="the dashboard only reads the study"):
        journal.append_logs([])


def test_without_the_extra(space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    own = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *more: None if name == "optuna_dashboard" else own(name, *more)
    )
    arguments = ["--budget", BUDGET, "--space", str(space_file), "--out", str(tmp_path / "run"), "--dashboard"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, SpecError)
    expected = (
        "--dashboard: optuna-dashboard is not installed; pip install 'hiri-spec[report]', or leave the option out"
    )
    assert str(result.exception) == expected
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("variable", "opens"), [("DISPLAY", True), ("BROWSER", True), ("TERM", False)])
def test_a_browser_is_opened_where_there_are_windows(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch, variable: str, opens: bool
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "x")
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: addresses.append(address) is None)
    assert dashboard.open_browser() is opens
    assert addresses == [dashboard.address] * opens


@needs_dashboard
def test_it_stays_until_ctrl_c(space_file: Path, tmp_path: Path) -> None:
    """After the search has ended, whose results are told before."""
    command = [sys.executable, "-m", "explorer.search", "--budget", BUDGET, "--space", str(space_file), "--trials", "4"]
    command += ["--evaluator", "params", "--out", str(tmp_path / "run"), "--dashboard", "--json"]
    environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name and name != "BROWSER"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "stays until Ctrl-C" in line:
            break
    (address,) = {match[1] for line in lines if (match := re.match(r"dashboard: (http://127\.0\.0\.1:\d+/)", line))}
    assert ask(address, "api/studies")["study_summaries"]
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, rest) == (0, "")
    assert json.loads(out)["trials"] == 4
    with pytest.raises(OSError, match="refused"):
        ask(address, "api/studies")


@needs_dashboard
def test_ctrl_c_that_another_thread_takes(dashboard: Dashboard) -> None:
    with ctrl_c_in_another_thread(0.2), pytest.raises(KeyboardInterrupt, match=r"^$"):
        dashboard.wait()


@needs_dashboard
def test_it_goes_with_a_search_that_is_killed(found: SearchResult) -> None:
    code = (
        "from explorer.dashboard import Dashboard\n"
        f"dashboard = Dashboard({str(found.out / 'study.journal')!r})\n"
        "print(dashboard._process.pid, flush=True)\n"
        "dashboard.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_running(pid)
    parent.kill()
    parent.communicate()
    wait_until_gone(pid)
