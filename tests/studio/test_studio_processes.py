"""Searches as processes: started beside the studio or in a terminal, seen at work, and stopped without a loss."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from searches import BUDGET, SMALL_SPACE
from waiting import wait_until

from hiri_spec import SpecError
from hiri_spec.locking import locked_folder
from studio.searches import SearchView, read_search, start_search, stop_search, tail
from studio.searches.holder import find_holder
from studio.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 90.0
ENDLESS = 1_000_000
"""More trials than the space has networks: such a search goes on until it is stopped."""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "small.yaml").write_text(SMALL_SPACE)
    yield Workspace(tmp_path)
    for folder in (tmp_path / "runs", tmp_path / "run"):
        process = find_holder(folder)
        if process is not None:
            os.kill(process, signal.SIGKILL)


def start(workspace: Workspace, **options: object) -> Path:
    asked = {"out": "run", "budget": BUDGET, "space": "small.yaml", "evaluator": "params", "trials": ENDLESS}
    start_search(workspace, **{**asked, **options})  # type: ignore[arg-type]
    return workspace.root / "run"


def wait_for(folder: Path, is_so: Callable[[SearchView], bool]) -> SearchView:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        view = read_search(folder)
        if is_so(view):
            return view
        assert time.monotonic() < deadline, f"{view.state}: {len(view.points)} trials, {tail(folder)}"
        time.sleep(0.02)


def has_some(view: SearchView) -> bool:
    return len(view.points) > 20


def is_over(view: SearchView) -> bool:
    return not view.running


def in_terminal(workspace: Workspace, *options: str, before: str = "") -> subprocess.Popen[bytes]:
    """A search that somebody started elsewhere."""
    words = f"{sys.executable} -m explorer.search --budget {BUDGET} --space small.yaml --evaluator params --out run"
    return subprocess.Popen(
        ["sh", "-c", f"{before} exec {words} {' '.join(options)}"],
        cwd=workspace.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


@pytest.mark.slow
def test_started_looked_at_stopped_and_gone_on_with(workspace: Workspace) -> None:
    folder = start(workspace)
    assert read_search(folder).state == "starting"
    with pytest.raises(SpecError, match=r"--out: a search.* is writing to run; wait for it, stop it, or name another"):
        start(workspace)
    view = wait_for(folder, has_some)
    assert (view.state, view.trials) == ("running", ENDLESS)
    assert os.getsid(find_holder(folder) or 0) != os.getsid(0)
    assert view.spec_text(view.points[-1].number).startswith(f"name: small_{view.points[-1].number}\n")
    with pytest.raises(SpecError, match=r"--out: a search \(process [0-9]+\) is writing to run"):
        start(workspace)
    stop_search(folder)
    assert read_search(folder).state in ("stopping", "interrupted")
    view = wait_for(folder, is_over)
    assert view.state == "interrupted"
    assert {path.name for path in folder.iterdir()} >= {"best.yaml", "report.html", "search.log", "front"}
    assert "stopped" in tail(folder)
    with pytest.raises(SpecError, match="run: no search is at work there"):
        stop_search(folder)

    before = [(point.number, point.score) for point in view.points]
    start(workspace, trials=len(before) + 5)
    view = wait_for(folder, lambda view: view.state == "finished")
    assert [(point.number, point.score) for point in view.points][: len(before)] == before
    assert len(view.points) == len(before) + 5
    assert f"going on after {len(before)} finished trials" in tail(folder, 50)
    assert "stopped" not in tail(folder, 50)


@pytest.mark.slow
def test_a_search_of_a_terminal_is_seen_and_stopped(workspace: Workspace) -> None:
    with in_terminal(workspace, "--trials", str(ENDLESS)) as process:
        folder = workspace.root / "run"
        wait_until((folder / "study.journal").exists, PATIENCE_S)
        view = wait_for(folder, has_some)
        assert view.state == "running"
        assert find_holder(folder) == process.pid
        stop_search(folder)
        assert process.wait(PATIENCE_S) == 130
    assert read_search(folder).state == "interrupted"
    assert tail(folder) == ""


@pytest.mark.slow
def test_a_search_that_ignores_ctrl_c_is_stopped_too(workspace: Workspace) -> None:
    """As one does that a shell's script has started with an `&`."""
    with in_terminal(workspace, "--trials", str(ENDLESS), before="trap '' INT;") as process:
        folder = workspace.root / "run"
        wait_until((folder / "study.journal").exists, PATIENCE_S)
        wait_for(folder, has_some)
        stop_search(folder)
        process.wait(PATIENCE_S)
    assert read_search(folder).state == "interrupted"


def test_stopped_before_it_is_at_work(workspace: Workspace) -> None:
    folder = start(workspace)
    stop_search(folder)
    assert read_search(folder).state in ("stopping", "interrupted", "failed")
    view = wait_for(folder, is_over)
    assert view.points == ()


@pytest.mark.slow
def test_one_that_was_killed(workspace: Workspace) -> None:
    folder = start(workspace)
    wait_for(folder, has_some)
    os.kill(find_holder(folder) or 0, signal.SIGKILL)
    view = wait_for(folder, is_over)
    assert view.state == "killed"
    assert len(view.points) > 20
    start(workspace, trials=len(view.points) + 3)
    assert len(wait_for(folder, lambda view: view.state == "finished").points) == len(view.points) + 3


@pytest.mark.slow
def test_what_shows_only_once_it_runs_is_told(workspace: Workspace) -> None:
    folder = start(workspace, budget="1mmacs")
    view = wait_for(folder, is_over)
    assert (view.state, view.points) == ("failed", ())
    assert "--budget: 1.000 MMACs are too few" in view.ending == tail(folder)
    start(workspace, trials=4)
    assert wait_for(folder, is_over).state == "finished"


@pytest.mark.slow
def test_the_folders_modules_are_not_run(workspace: Workspace) -> None:
    (workspace.root / "explorer").mkdir()
    (workspace.root / "explorer" / "__init__.py").write_text("raise SystemExit('theirs')\n")
    (workspace.root / "typer.py").write_text("raise SystemExit('theirs')\n")
    assert wait_for(start(workspace, trials=3), is_over).state == "finished"


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with searches."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_process_that_got_the_number_of_a_search_is_let_be(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    (tmp_path / ".lock").write_text(str(bystander.pid))
    assert find_holder(tmp_path) is None
    with pytest.raises(SpecError, match="no search is at work there"):
        stop_search(tmp_path)
    with locked_folder(tmp_path, "search"):
        assert find_holder(tmp_path) == os.getpid()
        (tmp_path / ".lock").write_text(str(bystander.pid))  # while another has the lock
        assert find_holder(tmp_path) is None
        with pytest.raises(SpecError, match="no search is at work there"):
            stop_search(tmp_path)
    assert find_holder(tmp_path) is None
    assert bystander.poll() is None


def test_one_that_ends_while_it_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first look and the signal, when its number may be another's already."""
    holders = iter([os.getpid(), None])
    monkeypatch.setattr("studio.searches.processes.find_holder", lambda folder: next(holders))
    with pytest.raises(SpecError, match="its search has just ended"):
        stop_search(tmp_path)


@pytest.mark.parametrize("written", [b"", b"0", b"-1", b"12 13", b"9" * 30, b"\xff", b"1"], ids=repr)
def test_a_lock_that_names_no_holder(tmp_path: Path, written: bytes) -> None:
    (tmp_path / ".lock").write_bytes(written)
    assert find_holder(tmp_path) is None


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"out": "../run"}, r"\.\./run: leads out of the opened folder"),
        ({"out": "small.yaml"}, r"small\.yaml --out: is a file, not a folder"),
        ({"out": "mine"}, "mine --out: holds other files, among which a search would write its own"),
        ({"budget": "five"}, "--budget: 'five' is not an amount"),
        ({"max_params": "few"}, "--max-params: 'few' is not an amount"),
        ({"resolution": "31"}, "--resolution: 31 is too small"),
        ({"stages": "9"}, "--stages: .* has no networks of 9 stages; it offers 2, 3"),
        ({"stages": "two"}, "--stages: 'two' are no numbers of stages"),
        ({"trials": 0}, "--trials: 0 trials are too few"),
        ({"seed": 1.5}, "--seed: 1.5 is no seed"),
        ({"workers": 0}, "--workers: 0 is no number of workers"),
        ({"sampler": "luck"}, "--sampler: unknown sampler 'luck'"),
        ({"objective": "scor"}, "--objective: unknown objective 'scor'; did you mean 'score'"),
        ({"evaluator": "naswat"}, "--evaluator: unknown evaluator 'naswat'; did you mean 'naswot'"),
        ({"evaluator": "mine.py:score"}, "--evaluator: unknown evaluator 'mine.py:score'"),
        ({"then": ["3:os:system"]}, "--then: '3:os:system' is no further level; write it like 20:zen"),
        ({"then": ["3:naswat"]}, "--then: unknown evaluator 'naswat'"),
        ({"then": ["3:train,data=/etc"]}, "--then: '3:train,data=/etc' is no further level"),
        ({"then": ["3:train"]}, "--data: null is no data; give one, digits or finegrain"),
        ({"data": "digits"}, "--data: 'digits' is no data; leave it out, as nothing is trained"),
        ({"evaluator": "train", "data": "/etc"}, "--data: unknown data '/etc'"),
        (
            {"space": "none.yaml"},
            r"--space: 'none\.yaml' is no file in the opened folder; did you mean 'small\.yaml'\?",
        ),
        ({"space": "../small.yaml"}, "leads out of the opened folder"),
        ({"space": "broken.yaml"}, r"broken\.yaml:1: not valid YAML"),
        ({"space": "fixed.yaml"}, "nothing varies in this space"),
    ],
    ids=lambda value: " ".join(f"{key}={each}" for key, each in value.items()) if isinstance(value, dict) else "",
)
def test_what_is_refused_before_anything_is_written(
    workspace: Workspace, options: dict[str, object], match: str
) -> None:
    (workspace.root / "mine").mkdir()
    (workspace.root / "mine" / "best.yaml").write_text("mine: 1\n")
    (workspace.root / "broken.yaml").write_text("{")
    (workspace.root / "fixed.yaml").write_text("name: a\nstem: vit\nstages:\n  - {block: ffn, depth: 1, width: 16}\n")
    before = sorted(workspace.root.rglob("*"))
    with pytest.raises(SpecError, match=match):
        start(workspace, **options)
    assert sorted(workspace.root.rglob("*")) == before


def test_a_space_that_extends_another_is_looked_at_by_the_command(workspace: Workspace) -> None:
    (workspace.root / "derived.yaml").write_text("extends: /etc/passwd\n")
    folder = start(workspace, space="derived.yaml")
    view = wait_for(folder, is_over)
    assert "outside the folders that a spec may read" in " ".join(view.ending.split())


@pytest.mark.slow
def test_no_heavy_library_is_loaded(workspace: Workspace) -> None:
    code = f"""
import sys, time
from pathlib import Path
from studio.searches import *
from studio.workspace import Workspace
workspace = Workspace(Path({str(workspace.root)!r}))
start_search(workspace, out="run", budget={BUDGET!r}, space="small.yaml", evaluator="params", trials=3)
while (view := read_search(workspace.root / "run")).running:
    time.sleep(0.02)
assert view.spec_text(2)
heavy = {{"torch", "timm", "torchvision", "optuna", "pandas", "matplotlib", "numpy"}}
print(view.state, sorted(heavy & set(sys.modules)))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert out.strip() == "finished []"


def test_of_many_that_start_at_once_one_does(workspace: Workspace) -> None:
    started: list[int] = []
    refused: list[str] = []

    def try_to(number: int) -> None:
        try:
            start(workspace)
        except SpecError as error:
            refused.append(str(error))
        else:
            started.append(number)

    threads = [threading.Thread(target=try_to, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1
    assert [text for text in refused if "is writing to run" in text] == refused
    stop_search(workspace.root / "run")
    assert wait_for(workspace.root / "run", is_over).state == "interrupted"
