"""A search that is shared, from end to end: several processes, killed, ended, and without any file."""

from __future__ import annotations

import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from searches import run, told
from sharing import all_trials, command, scores_of, search_arguments
from waiting import wait_until

from explorer.names import FAILURE, NETWORK
from explorer.pursuit import evaluation_seed
from explorer.results import SearchResult
from explorer.shared.ledger import LOST, RETURNED, origin_of
from explorer.worker import work
from hiri_spec import SpecError

SLOW = """
import os, time
from hiri_spec import cost

def score(spec, seed):
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(f"{seed}\\n")
    while os.path.exists(os.environ["CALLS"] + ".hold"):
        time.sleep(0.02)
    return cost(spec).params / 1e6
"""


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An evaluator that notes its seeds, and takes until hold() is over."""
    (tmp_path / "mine.py").write_text(SLOW)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return f"{tmp_path}/mine.py:score"


def calls(tmp_path: Path) -> list[int]:
    file = tmp_path / "calls"
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    return process.returncode, out, err


def shared(space_file: Path, out: Path, storage: str, **options: object) -> SearchResult:
    return run(space_file, out, storage=storage, **{"heartbeat": "100ms", **options})


def test_one_process_finds_what_a_search_of_its_own_does(space_file: Path, tmp_path: Path, storage: str) -> None:
    alone = run(space_file, tmp_path / "alone")
    for trials in (5, 12):
        found = shared(space_file, tmp_path / "shared", storage, trials=trials)
    assert told(found) == told(alone)
    assert (tmp_path / "shared" / "best.yaml").exists()
    assert not (tmp_path / "shared" / "study.journal").exists()


@pytest.mark.slow
def test_several_at_the_same_time(space_file: Path, tmp_path: Path, storage: str) -> None:
    """No network twice, and no trial too many."""
    more = ["--evaluator", "params", "--trials", 40, "--heartbeat", "5s"]
    with command("search", *search_arguments(space_file, tmp_path / "b", storage, *more)) as other:
        with ThreadPoolExecutor(2) as pool:
            search = pool.submit(shared, space_file, tmp_path / "a", storage, trials=40, heartbeat="5s")
            wait_until(lambda: (tmp_path / "a").exists())
            worker = pool.submit(work, storage)
            found, done = search.result(), worker.result()
        assert ended(other)[0] == 0
    trials = [trial for trial in all_trials(storage) if trial.state != TrialState.FAIL]
    assert [trial.state for trial in trials] == 40 * [TrialState.COMPLETE]
    assert len({trial.user_attrs[NETWORK] for trial in trials}) == 40
    assert [trial.number for trial in trials] == [member.number for member in found.members]
    assert (tmp_path / "a" / "trials.csv").read_text().count("\n") == 1 + 40
    assert (done.finished, done.wanted, done.ending) == (40, 40, "")


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM], ids=lambda sign: sign.name)
def test_a_worker_that_ends_in_between(
    space_file: Path, tmp_path: Path, storage: str, slow: str, sign: signal.Signals
) -> None:
    """After kill -9 its trial is evaluated again once it has been silent for long enough, otherwise at once.

    The worker is on a machine that has the evaluator and nothing else.
    """
    heartbeat = "100ms" if sign == signal.SIGKILL else "1h"
    shared(space_file, tmp_path / "run", storage, trials=2, evaluator=slow, heartbeat=heartbeat)
    hold = tmp_path / "calls.hold"
    hold.touch()
    space = space_file.read_text()
    with ThreadPoolExecutor(1) as pool:
        search = pool.submit(shared, space_file, tmp_path / "run", storage, trials=4, evaluator=slow)
        wait_until(lambda: len(calls(tmp_path)) == 3)
        space_file.unlink()
        with command("worker", "--storage", storage, "--trial-timeout", "1h") as worker:
            wait_until(lambda: len(calls(tmp_path)) == 4)
            worker.send_signal(sign)
            status, out, _ = ended(worker)
        hold.unlink()
        found = search.result()
    space_file.write_text(space)
    assert status == {signal.SIGKILL: -9, signal.SIGTERM: 143}[sign]
    assert ("0 trials from here, 2 of 4 in all; stopped, what was under way is given back" in out) is (status > 0)
    assert len(found.trials) == 4
    lost, again = sorted(
        (trial for trial in all_trials(storage) if origin_of(trial) == 3), key=lambda trial: trial.number
    )
    assert (lost.user_attrs[FAILURE], lost.user_attrs[NETWORK]) == (
        LOST if sign == signal.SIGKILL else RETURNED,
        again.user_attrs[NETWORK],
    )
    assert again.state == TrialState.COMPLETE
    assert calls(tmp_path) == [evaluation_seed(0, number) for number in (0, 1, 2, 3, 3)]


@pytest.mark.slow
def test_kill_9_of_the_search_itself(space_file: Path, tmp_path: Path, storage: str, slow: str) -> None:
    more = ["--evaluator", slow, "--trials", 8, "--workers", 2, "--heartbeat", "200ms"]
    with command("search", *search_arguments(space_file, tmp_path / "run", storage, *more)) as process:
        wait_until(lambda: len(calls(tmp_path)) > 3)
        process.kill()
        process.communicate()
    kept = {trial.number for trial in scores_of(storage)}
    with command("search", *search_arguments(space_file, tmp_path / "run", storage, *more)) as process:
        status, out, err = ended(process)
    assert status == 0
    assert f"going on after {len(kept)} finished trials" in err
    assert "the front of 8 trials" in out
    assert {trial.number for trial in scores_of(storage)} >= kept
    finished = scores_of(storage)
    assert len(finished) == len({trial.user_attrs[NETWORK] for trial in finished}) == 8


def test_a_search_that_asks_for_more_is_worked_on(space_file: Path, tmp_path: Path, sqlite: str) -> None:
    shared(space_file, tmp_path / "run", sqlite, trials=3)
    assert work(sqlite).evaluated == 0
    with ThreadPoolExecutor(1) as pool:
        search = pool.submit(shared, space_file, tmp_path / "run", sqlite, trials=20)
        wait_until(lambda: len(all_trials(sqlite)) > 4)
        done = work(sqlite, trials_here=2)
        assert len(search.result().trials) == 20
    assert (done.wanted, done.evaluated <= 2) == (20, True)


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"seed": 3}, "seed was 0, is 3"),
        ({"evaluator": "macs"}, "evaluator was params, is macs"),
        ({"set": {"stem.width": 8}}, "space was small.yaml .*, is small.yaml"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_another_search_of_that_name(
    space_file: Path, tmp_path: Path, sqlite: str, options: dict[str, object], difference: str
) -> None:
    shared(space_file, tmp_path / "run", sqlite, trials=2, study="ours")
    with pytest.raises(SpecError, match=rf"--study: sqlite:.* holds another search named ours: {difference}.* Nothing"):
        shared(space_file, tmp_path / "other", sqlite, study="ours", **options)
    assert len(all_trials(sqlite)) == 2
    assert not (tmp_path / "other").exists()


def test_a_search_that_was_killed_while_it_began_a_study(
    space_file: Path, tmp_path: Path, sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.shared.studies.START_S", 0.3)
    optuna.create_study(study_name="ours", storage=sqlite, directions=["maximize", "minimize"])
    with pytest.raises(SpecError, match="holds no search"):
        work(sqlite)
    assert len(shared(space_file, tmp_path / "run", sqlite, study="ours").trials) == 12


def test_a_folder_with_a_journal(space_file: Path, tmp_path: Path, sqlite: str) -> None:
    run(space_file, tmp_path / "run")
    with pytest.raises(SpecError, match=r"--out: .*run holds a search with a journal of its own"):
        shared(space_file, tmp_path / "run", sqlite)


def test_which_study(space_file: Path, tmp_path: Path, sqlite: str) -> None:
    with pytest.raises(SpecError, match=r"--storage: sqlite:.*shared.db holds no search; start one by python -m expl"):
        work(sqlite)
    for seed in (0, 1):
        shared(space_file, tmp_path / str(seed), sqlite, trials=2, seed=seed, study=f"seed{seed}")
    with pytest.raises(SpecError, match=r"--study: .* holds 2 searches; name one of seed0, seed1"):
        work(sqlite)
    with pytest.raises(SpecError, match=r"--study: .* holds no search 'sead1'; did you mean 'seed1'"):
        work(sqlite, study="sead1")
    assert work(sqlite, study="seed1").study == "seed1"


def test_another_version(space_file: Path, tmp_path: Path, sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shared(space_file, tmp_path / "run", sqlite, trials=2)
    monkeypatch.setattr("explorer.worker.__version__", "9.9")
    with pytest.raises(SpecError, match=r"--study: .* was begun by version .*, this is 9.9; install the same"):
        work(sqlite)


def test_failures_of_a_worker_are_kept(
    space_file: Path, tmp_path: Path, sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text("def score(spec, seed):\n    raise MemoryError('no room')\n")
    options = {"evaluator": f"{tmp_path}/mine.py:score", "study": "ours"}
    monkeypatch.chdir(tmp_path)
    told = r"5 evaluations in a row failed, .* MemoryError: no room"
    with pytest.raises(SpecError, match=told):
        shared(space_file, tmp_path / "run", sqlite, **options)
    with pytest.raises(SpecError, match=told):
        work(sqlite)
    files = [*(tmp_path / "run").glob("failed-*.txt"), *(tmp_path / "runs" / "ours").glob("failed-*.txt")]
    assert len(files) == 10
    assert [trial.user_attrs.get(FAILURE) for trial in all_trials(sqlite)] == 10 * ["MemoryError: no room"]


def test_the_commands(space_file: Path, tmp_path: Path, sqlite: str) -> None:
    more = ["--evaluator", "params", "--trials", 3, "--study", "ours"]
    with command("search", *search_arguments(space_file, tmp_path / "run", sqlite, *more)) as process:
        status, out, err = ended(process)
    assert (status, "the front of 3 trials" in out) == (0, True)
    assert f"study: ours in {sqlite}" in err
    join = re.search(r"python -m explorer\.(\w+) (--storage \S+ --study ours)\n", err)
    assert join is not None
    with command(join[1], *join[2].split(), "--json", cwd=str(tmp_path)) as process:
        status, out, err = ended(process)
    assert status == 0
    assert '"finished": 3' in out
    assert "joined ours: 3 of 3 trials are finished; space small.yaml" in err


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"study": "x"}, "--study: it is for shared studies; give --storage as well, or leave it out"),
        ({"heartbeat": "9s"}, "--heartbeat: it is for shared studies"),
        ({"storage": "sqlite:///x.db", "study": ""}, "--study: '' is no name of a study"),
        ({"storage": "sqlite:///x.db", "heartbeat": "often"}, "--heartbeat: 'often' is no time"),
        ({"storage": "x.db"}, "--storage: the address is none"),
        ({"storage": "sqlite:////no/where/x.db"}, "--storage: .*unable to open database file.*may you write to it"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_is_refused(space_file: Path, tmp_path: Path, options: dict[str, object], match: str) -> None:
    with pytest.raises(SpecError, match=match):
        run(space_file, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]
