"""Trials a second against workers for each storage, with an evaluator that costs nothing.

`python -m benchmarks.storages [TRIALS] [STORAGE …]` prints a table. PostgreSQL and the proxy before it are measured
where EXPLORER_TEST_POSTGRESQL names a server, as under `.ci/with-postgresql python -m benchmarks.storages`; each
measurement has a database of its own there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from optuna.trial import TrialState

from explorer.budget import Budget
from explorer.evaluators import choose
from explorer.proxy import running_proxy
from explorer.results import Member
from explorer.search import Watcher, search
from explorer.shared.address import read_address
from explorer.shared.connection import open_storage
from explorer.shared.plan import Plan
from explorer.shared.sharing import read_sharing
from explorer.shared.studies import open_studies
from explorer.space import load_space
from hiri_spec import __version__

WORKERS = (1, 2, 4, 8)
TRIALS = 150
BUDGET = 5_000_000_000


class Clock(Watcher):
    """Notes when each trial is finished."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def tried(self, member: Member, best: Member) -> None:
        """Note one."""
        self.times.append(time.perf_counter())


def journal_rate(workers: int, trials: int) -> float:
    """Trials a second of one search that evaluates in so many processes, once all of them are loaded."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        search(
            BUDGET,
            trials=trials,
            evaluator="params",
            workers=workers,
            trial_timeout="1h",  # for processes of their own, where there is one too
            out=Path(folder) / "run",
            watcher=clock,
        )
    times = clock.times[4 * workers :]
    return (len(times) - 1) / (times[-1] - times[0])


def start_study(address: str, trials: int) -> None:
    """A search as its command would start it, without a process that works on it."""
    space, chosen = load_space(), choose("params")
    settings = {
        "budget": Budget(BUDGET).macs,
        "max_params": None,
        "objective": "pareto",
        "evaluator": "params",
        "seed": 0,
        "version": __version__,
    }
    with open_studies(read_address(address), print) as studies:
        studies.start("benchmark", Plan.of(settings, space, chosen, 15.0), trials)


def shared_rate(address: str, workers: int, trials: int) -> float:
    """Trials a second of so many worker processes, once all of them have joined."""
    start_study(address, trials)
    command = [sys.executable, "-m", "explorer.worker", "--storage", address]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            )
            for _ in range(workers)
        ]
        for process in processes:
            assert process.stderr is not None
            if not process.stderr.readline().startswith("joined"):
                raise RuntimeError(process.stderr.read())
        joined = datetime.now()
        for process in processes:
            process.communicate()
    with open_storage(read_address(address)) as storage:
        (study,) = storage.get_all_studies()
        kept = storage.get_all_trials(storage.get_study_id_from_name(study.study_name), deepcopy=False)
    ends = [trial.datetime_complete for trial in kept if trial.state == TrialState.COMPLETE]
    late = sorted(end for end in ends if end is not None and end > joined)
    return (len(late) - 1) / (late[-1] - late[0]).total_seconds()


@contextmanager
def sqlite() -> Iterator[str]:
    """A file."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/shared.db"


@contextmanager
def postgresql() -> Iterator[str]:
    """A database of its own."""
    import psycopg

    server = os.environ["EXPLORER_TEST_POSTGRESQL"].replace("+psycopg", "")
    name = f"benchmark_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f'drop database "{name}" with (force)')


@contextmanager
def proxy() -> Iterator[str]:
    """The proxy before one."""
    with postgresql() as address:
        sharing = read_sharing(address)
        assert sharing is not None
        with running_proxy(sharing) as port:
            yield f"grpc://127.0.0.1:{port}"


def main() -> None:
    """Print a table in Markdown, row by row."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS
    places = {"SQLite": sqlite}
    if "EXPLORER_TEST_POSTGRESQL" in os.environ:
        places |= {"PostgreSQL": postgresql, "proxy": proxy}
    wanted = sys.argv[2:] or ["journal", *places]
    print(f"| trials a second, of {trials} | " + " | ".join(f"{n} workers" for n in WORKERS) + " |")
    print("|---|" + "---|" * len(WORKERS))
    for name in wanted:
        rates = []
        for workers in WORKERS:
            if name == "journal":
                rates.append(journal_rate(workers, trials))
                continue
            with places[name]() as address:
                rates.append(shared_rate(address, workers, trials))
        print(f"| {name} | " + " | ".join(f"{rate:.1f}" for rate in rates) + " |", flush=True)


if __name__ == "__main__":
    main()
