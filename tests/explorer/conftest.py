"""The small space as a file, as a space, and searched."""

from __future__ import annotations

from pathlib import Path

import pytest
from searches import SMALL_SPACE, run

from explorer.results import SearchResult
from explorer.space import Space, load_space


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
