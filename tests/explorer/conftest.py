"""The small space as a file, as a space, and searched."""

from __future__ import annotations

from pathlib import Path

import pytest
from searches import SMALL_SPACE, run

from explorer.results import SearchResult
from explorer.space import Space, load_space

REPORTING = """
import os
from hiri_spec import cost

def score(spec, seed, report):
    size = cost(spec).params / 1e6
    with open(os.environ["STEPS"], "a") as steps:
        for step in range(1, 5):
            steps.write(f"{seed} {step}\\n")
            report(step, size * step)
    return 5 * size
"""


@pytest.fixture
def space_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL_SPACE)
    return path


@pytest.fixture
def space(space_file: Path) -> Space:
    return load_space(space_file)


@pytest.fixture
def found(space_file: Path, tmp_path: Path) -> SearchResult:
    return run(space_file, tmp_path / "run")


@pytest.fixture
def reporting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An evaluator that tells four steps; the file `steps` has those that it was at, with its seed."""
    (tmp_path / "reporting.py").write_text(REPORTING)
    monkeypatch.setenv("STEPS", str(tmp_path / "steps"))
    return f"{tmp_path}/reporting.py:score"
