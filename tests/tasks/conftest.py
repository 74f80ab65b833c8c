"""Fixtures of the tests of detection and segmentation."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch


@pytest.fixture(autouse=True)
def random_numbers() -> Iterator[None]:
    """Training seeds all generators of the process; other tests get theirs back."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    yield
    random.setstate(before[0])
    np.random.set_state(before[1])
    torch.set_rng_state(before[2])


@pytest.fixture(scope="session")
def dense_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of RetinaNet; not to be changed."""
    from dense_runs import run

    folder = tmp_path_factory.mktemp("dense")
    run(folder)
    return folder / "run"
