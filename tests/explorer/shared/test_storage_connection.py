"""Storages that are away, come back, or can't be used at all, and what is told of it."""

from __future__ import annotations

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from optuna.exceptions import StorageInternalError
from searches import run, told
from sharing import (
    POSTGRESQL,
    WITHOUT,
    all_trials,
    command,
    new_database,
    new_storage,
    scores_of,
    search_arguments,
)
from sqlalchemy.exc import OperationalError, ProgrammingError
from waiting import wait_until

from explorer.interrupts import undivided
from explorer.names import NETWORK
from explorer.proxy import running_proxy
from explorer.search import Watcher
from explorer.shared.address import VARIABLE, Address, read_address
from explorer.shared.connection import Patient, explain, is_away, open_storage
from explorer.shared.sharing import read_sharing
from explorer.worker import work
from hiri_spec import SpecError

ADDRESS = Address("postgresql", "postgresql://me@host/db", "postgresql+psycopg://me@host/db", {"password": "s3cret"})
needs_postgresql = pytest.mark.skipif(POSTGRESQL is None, reason=WITHOUT)


def failed(said: str, kind: type[Exception] = OperationalError) -> StorageInternalError:
    error = StorageInternalError("An exception is raised during the commit.")
    error.__cause__ = kind("select", {}, psycopg.Error(said))  # type: ignore[call-arg]
    return error


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (failed('FATAL:  password authentication failed for user "me"'), "failed for user .*; keep it in PGPASSWORD"),
        (failed('FATAL:  database "db" does not exist'), "does not exist; make it: createdb"),
        (failed('FATAL:  role "me" does not exist'), "name a user that the server knows"),
        (failed("connection refused\n\tIs it?"), r"can't be used: connection refused Is it\?; is it running there\?"),
        (failed('relation "studies" does not exist', ProgrammingError), "is it a database that Optuna has made?"),
        (failed("it said s3cret " + "x" * 300), r"it said \*\*\* x+…; "),
        (KeyError("no record"), "the study is in postgresql://me@host/db no longer; somebody has deleted it"),
        (ImportError("psycopg"), r"a driver for .* is missing; pip install 'hiri-spec\[shared\]'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors_in_one_line(error: Exception, message: str) -> None:
    explained = explain(error, ADDRESS)
    with pytest.raises(SpecError, match=f"--storage: .*{message}"):
        raise explained
    assert "\n" not in str(explained)
    assert "s3cret" not in str(explained)


def test_what_is_away_is_waited_for() -> None:
    answers, said = [failed("gone"), failed("starting up"), None], list[str]()

    def call() -> int:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return 7

    assert Patient(ADDRESS, said.append)(call) == 7
    assert len(said) == 2
    assert "gone; is it running there? Trying again for 5 minutes; nothing is lost" in said[0]
    assert said[1] == "postgresql://me@host/db is back"


def test_what_stays_away_is_given_up() -> None:
    def call() -> int:
        raise failed("gone")

    began = time.monotonic()
    with pytest.raises(SpecError, match="can't be used: gone") as caught:
        Patient(ADDRESS, print, patience_s=0.6)(call)
    assert 0.5 < time.monotonic() - began < 10
    assert caught.value.problems[0].code == "away"


def test_ctrl_c_ends_the_wait() -> None:
    """Also where it is put off, so as not to split what is being written."""

    def call() -> int:
        signal.raise_signal(signal.SIGINT)
        raise failed("gone")

    began = time.monotonic()
    with pytest.raises(SpecError, match="can't be used: gone"), undivided():
        Patient(ADDRESS, print)(call)
    assert time.monotonic() - began < 10


def test_what_will_not_get_better_is_not_waited_for() -> None:
    def call() -> int:
        raise failed("syntax error", ProgrammingError)

    with pytest.raises(SpecError, match="can't be used: syntax error"):
        Patient(ADDRESS, pytest.fail)(call)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [pytest.param("postgresql", marks=needs_postgresql), "grpc"])
def test_nobody_answers(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.shared.connection.CONNECT_S", 2)
    address = f"{kind}://{'' if kind == 'grpc' else 'me@'}127.0.0.1:{free_port()}{'' if kind == 'grpc' else '/db'}"
    with pytest.raises(SpecError, match=f"--storage: {address} can't be used: .*; is it running there"):
        work(address)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "shared.db").write_text("no database, and long enough to be read as one" * 100)
    with pytest.raises(SpecError, match="can't be used: file is not a database; is it a database that Optuna"):
        work(f"sqlite:///{tmp_path}/shared.db")


@needs_postgresql
def test_a_database_that_is_not_there() -> None:
    assert POSTGRESQL is not None
    address = f"{POSTGRESQL.rpartition('/')[0].replace('+psycopg', '')}/nowhere"
    with pytest.raises(SpecError, match='database "nowhere" does not exist; make it: createdb'):
        work(address)


@needs_postgresql
def test_a_new_database_that_several_open_at_once() -> None:
    def look(address: str) -> int:
        with open_storage(read_address(address)) as storage:
            return len(storage.get_all_studies())

    with new_database() as address, ThreadPoolExecutor(4) as pool:
        assert [*pool.map(look, 4 * [address])] == 4 * [0]


@pytest.mark.slow
@needs_postgresql
def test_no_password_is_ever_shown(space_file: Path, tmp_path: Path) -> None:
    with new_database() as address:
        secret = address.replace("tester@", "tester:s3cret@")
        for arguments in (
            ["env", "--evaluator", "params"],
            ["env", "--evaluator", "macs"],
            [secret, "--evaluator", "params"],
        ):
            arguments = search_arguments(space_file, tmp_path / "run", *arguments, "--trials", 3, "--study", "ours")
            with command("search", *arguments, **{VARIABLE: secret}) as process:
                out, err = process.communicate(timeout=60)
            assert "s3cret" not in out + err
            assert "Traceback" not in err
        for path in (tmp_path / "run").rglob("*"):
            assert path.is_dir() or b"s3cret" not in path.read_bytes()
        with open_storage(read_address(address)) as storage:
            assert "s3cret" not in repr(storage.get_all_studies()) + repr(all_trials(address))
        assert len(scores_of(address)) == 3
        with command("worker", **{VARIABLE: secret.replace("test_", "nowhere_")}) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 2
        assert err.startswith("error: --storage: postgresql://tester@")
        assert "s3cret" not in out + err


class Status(Exception):  # noqa: N818
    """As gRPC raises it."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__(name, said)
        self._name, self._said = name, said

    def code(self) -> SimpleNamespace:
        return SimpleNamespace(name=self._name)

    def details(self) -> str:
        return self._said


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Status("UNAVAILABLE", "failed to connect"), True),
        (Status("UNKNOWN", "Exception calling application: (psycopg.OperationalError) the connection is lost"), True),
        (Status("UNKNOWN", "Exception calling application: An exception is raised during the commit."), True),
        (Status("UNKNOWN", "Exception calling application: division by zero"), False),
        (Status("NOT_FOUND", "no such study"), False),
        (failed("gone"), True),
        (failed("gone", ProgrammingError), False),
        (ValueError("ours"), False),
    ],
    ids=str,
)
def test_what_counts_as_away(error: Exception, expected: bool) -> None:
    assert is_away(error) is expected


@pytest.mark.slow
@needs_postgresql
def test_a_database_that_ends_its_connections(space_file: Path, tmp_path: Path) -> None:
    """As one that is restarted."""
    assert POSTGRESQL is not None
    end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
    with new_database() as address, ThreadPoolExecutor(1) as pool:
        search = pool.submit(run, space_file, tmp_path / "run", storage=address, trials=60, study="ours")
        wait_until(lambda: (tmp_path / "run").exists())
        with psycopg.connect(POSTGRESQL.replace("+psycopg", ""), autocommit=True) as connection:
            for finished in (3, 6, 9, 12):
                wait_until(lambda finished=finished: len(scores_of(address)) >= finished)
                assert connection.execute(end, [address.rpartition("/")[2]]).rowcount > 0
        assert len(search.result().trials) == 60
        networks = [trial.user_attrs[NETWORK] for trial in scores_of(address)]
        assert len({*networks}) == len(networks) == 60


@pytest.mark.slow
def test_a_storage_that_goes_away_and_comes_back(
    space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is ended in the midst of a search, and begun anew some seconds later."""

    class Notes(Watcher):
        def noted(self, message: str) -> None:
            said.append(message)

    said: list[str] = []
    port = free_port()
    with new_storage("postgresql" if POSTGRESQL else "sqlite", tmp_path) as behind, ThreadPoolExecutor(1) as pool:
        sharing = read_sharing(behind)
        assert sharing is not None
        with running_proxy(sharing, port=port):
            address = f"grpc://127.0.0.1:{port}"
            search = pool.submit(run, space_file, tmp_path / "run", storage=address, trials=60, watcher=Notes())
            wait_until(lambda: any("study:" in message for message in said) and len(scores_of(behind)) > 5)
        wait_until(lambda: any("Trying again" in message for message in said))
        with running_proxy(sharing, port=port):
            found = search.result()
    assert len(found.trials) == 60
    assert told(found)[:5] == told(run(space_file, tmp_path / "alone", trials=60))[:5]
    assert [message for message in said if "is back" in message] == [f"{address} is back"]


def test_a_driver_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SpecError, match=r"--storage: grpcio is missing; pip install 'hiri-spec\[shared\]'"):
        work("grpc://127.0.0.1:1")


def test_the_environment_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path}/shared.db")
    with pytest.raises(SpecError, match=r"shared\.db holds no search"):
        work()
    assert os.environ[VARIABLE]
