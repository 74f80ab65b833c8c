"""Fixtures of the tests of training."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import run, write_files

from hiri_spec.train.run import TrainResult


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with mini.yaml, quick.yaml and images/."""
    write_files(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainResult]:
    """A folder with those files and a finished run in `run`, to look at and not to change; and its result."""
    folder = tmp_path_factory.mktemp("finished")
    write_files(folder)
    return folder, run(folder)


@pytest.fixture(autouse=True)
def random_numbers() -> Iterator[None]:
    """Training seeds all generators of the process; other tests get theirs back."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    yield
    random.setstate(before[0])
    np.random.set_state(before[1])
    torch.set_rng_state(before[2])
