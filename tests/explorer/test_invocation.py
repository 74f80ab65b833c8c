"""The line that runs a search again: it asks for the same, and tells no password."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from searches import BUDGET, run, told
from typer.testing import CliRunner

from explorer.command import app
from explorer.invocation import invocation, without_password
from explorer.results import SearchResult
from explorer.watching import Watcher


def asked(budget: str, *, storage: str | None = None, prune: bool = False, watcher: Any = None) -> None:
    """Stands where the search stands."""


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, ""),
        ({"trials": 300, "seed": 0, "objective": "pareto"}, ""),
        ({"trials": 20, "stages": "4,5"}, "--stages 4,5 --trials 20"),
        ({"stages": [5, 4]}, "--stages 5,4"),
        ({"stages": np.array([4, 5])}, "--stages 4,5"),
        ({"resolution": (224, 448)}, "--resolution 224x448"),
        ({"resolution": 224}, "--resolution 224"),
        ({"space": Path("my space.yaml")}, "--space 'my space.yaml'"),
        ({"max_params": 3.5e7, "trial_timeout": "90s"}, "--max-params 35000000.0 --trial-timeout 90s"),
        ({"set": {"stem.width": 32, "name": "x"}}, "--set stem.width=32 --set name=x"),
        ({"set": {"head": {"classes": 10}}}, "--set 'head={classes: 10}'"),
        ({"seed": -1}, "--seed=-1"),
        ({"then": ["100:zico", "20:train,epochs=5"]}, "--then 100:zico --then 20:train,epochs=5"),
        ({"evaluator": "it's.py:score"}, """--evaluator 'it'"'"'s.py:score'"""),
        ({"watcher": Watcher()}, ""),
    ],
    ids=lambda value: "watcher" if "watcher" in value else str(value),
)
def test_what_is_not_by_default_is_told(options: dict[str, Any], line: str) -> None:
    from inspect import signature

    from explorer.search import search

    every = {name: each.default for name, each in signature(search).parameters.items()}
    told_line = invocation(search, {**every, "budget": "1gflops", **options})
    assert told_line == f"python -m explorer.search --budget 1gflops {line}".rstrip()


def test_flags_and_addresses() -> None:
    options = {"budget": "1g", "storage": "postgresql://me:se/c@ret@host/db", "prune": True, "watcher": None}
    line = invocation(asked, options)
    assert line == "python -m explorer.search --budget 1g --storage postgresql://me@host/db --prune"
    turned = invocation(lambda *, prune=True: None, {"prune": False})
    assert turned == "python -m explorer.search --no-prune"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me@host:5432/db", "postgresql://me@host:5432/db"),
        ("postgresql+psycopg://me:secret@host:5432/db", "postgresql+psycopg://me@host:5432/db"),
        ("postgresql://me:@secret:@host/db", "postgresql://me@host/db"),
        (
            "postgresql://host/db?user=me&password=secret&sslmode=require",
            "postgresql://host/db?user=me&sslmode=require",
        ),
        ("postgresql://host/db?password=secret", "postgresql://host/db"),
        ("sqlite:///a:b@c.db", "sqlite:///a:b@c.db"),
        ("grpc://localhost:13000", "grpc://localhost:13000"),
        ("package.module:function", "package.module:function"),
    ],
    ids=str,
)
def test_passwords(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_the_line_finds_the_same(space_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = os.path.relpath(space_file)
    first = run(Path(name), Path("first"), trials=6, seed=3, stages=[2], set={"head.classes": 7}, objective="score")
    words = shlex.split(first.command)
    assert words[:3] == ["python", "-m", "explorer.search"]
    words[words.index("--out") + 1] = "second"
    assert CliRunner().invoke(app, [*words[3:], "--json"]).exit_code == 0
    second = run(Path(name), Path("second"), trials=6, seed=3, stages=[2], set={"head.classes": 7}, objective="score")
    assert told(second) == told(first)


def test_every_result_has_its_line(found: SearchResult) -> None:
    assert f"--budget {BUDGET}" in found.command
    assert f"--out {found.out}" in found.command
