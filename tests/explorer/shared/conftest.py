"""An empty storage of each kind; those that need a PostgreSQL are left out where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sharing import OPENED, POSTGRESQL, WITHOUT, new_storage

NEEDS_POSTGRESQL = pytest.mark.skipif(POSTGRESQL is None, reason=WITHOUT)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=NEEDS_POSTGRESQL), "proxy"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with new_storage(request.param, tmp_path) as address, OPENED:
        yield address


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[str]:
    with new_storage("sqlite", tmp_path) as address, OPENED:
        yield address
