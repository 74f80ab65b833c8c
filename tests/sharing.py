"""Storages to share studies in, and what is in them."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from searches import BUDGET

from explorer.evaluators import choose
from explorer.proxy import running_proxy
from explorer.samplers.budgeted import BudgetedSampler
from explorer.shared.address import read_address
from explorer.shared.connection import open_storage
from explorer.shared.plan import Plan
from explorer.shared.shared_study import SharedStudy
from explorer.shared.sharing import read_sharing
from explorer.shared.studies import open_studies
from explorer.space import load_space
from hiri_spec import __version__

POSTGRESQL = os.environ.get("EXPLORER_TEST_POSTGRESQL")
WITHOUT = "no PostgreSQL: .ci/with-postgresql COMMAND starts one"
HEARTBEAT_S = 0.2
OPENED = ExitStack()
"""What a test has opened, until it is over."""


@contextmanager
def new_database() -> Iterator[str]:
    """A database of its own on the tests' PostgreSQL."""
    import psycopg

    assert POSTGRESQL is not None
    server = POSTGRESQL.replace("+psycopg", "")
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f'drop database "{name}" with (force)')


@contextmanager
def new_storage(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty storage; a proxy stands before PostgreSQL where there is one."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/shared.db"
    elif kind == "postgresql":
        with new_database() as address:
            yield address
    else:
        with new_storage("postgresql" if POSTGRESQL else "sqlite", folder) as behind:
            sharing = read_sharing(behind)
            assert sharing is not None
            with running_proxy(sharing) as port:
                yield f"grpc://127.0.0.1:{port}"


def all_trials(address: str) -> list[FrozenTrial]:
    """Every trial of the one study in a storage."""
    with open_storage(read_address(address)) as storage:
        (study,) = storage.get_all_studies()
        return storage.get_all_trials(storage.get_study_id_from_name(study.study_name))


def scores_of(address: str) -> list[FrozenTrial]:
    """Those of them that have a score."""
    return [trial for trial in all_trials(address) if trial.state == TrialState.COMPLETE]


def take_part(
    address: str,
    space_file: Path,
    folder: Path,
    wanted: int = 12,
    told: Callable[[str], None] = print,
    heartbeat_s: float = HEARTBEAT_S,
    **options: Any,
) -> SharedStudy:
    """One process's part in a study named s, without a process of its own."""
    space, chosen = load_space(space_file), choose("params")
    settings = {"budget": 4_000_000, "max_params": None, "objective": "score", "evaluator": "params", "seed": 0}
    plan = Plan.of(settings | {"version": __version__}, space, chosen, heartbeat_s)
    studies = OPENED.enter_context(open_studies(read_address(address), told))
    found = studies.start("s", plan, wanted)
    return studies.open(found, BudgetedSampler(space, plan.budget, 0), folder, wanted, **options)


@contextmanager
def command(module: str, *arguments: object, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A program of the explorer's, started; it ends with the block if it hasn't before."""
    with subprocess.Popen(
        [sys.executable, "-m", f"explorer.{module}", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()  # or leaving would wait for one that doesn't end


def search_arguments(space_file: Path, out: Path, address: str, *more: object) -> list[object]:
    """Arguments of a search of the small space."""
    return ["--budget", BUDGET, "--space", space_file, "--out", out, "--storage", address, *more]
