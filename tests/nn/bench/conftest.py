"""Small things to measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hiri_spec.nn.bench.peak import Kernel

TINY = """
name: tiny
resolution: 64
stem: {stem: hr, width: 8}
stages:
  - {block: hr, depth: 1, width: 8}
  - {block: transformer, depth: 1, width: 16, heads: 2, downsample: irds_a}
head: {classes: 10}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """The path of a network of some 11,000 parameters."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return str(path)


@pytest.fixture
def small_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products of microseconds in place of those that reach the peak."""
    matrix = torch.ones(8, 8)
    kernels = [Kernel(name, 512, lambda: matrix @ matrix) for name in ("one", "other")]
    monkeypatch.setattr("hiri_spec.nn.bench.run.make_kernels", lambda device, dtype: kernels)


@pytest.fixture
def use_fuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], Any]], None]:
    """Put a function in the place of `fuse`."""

    def use(function: Callable[[Any], Any]) -> None:
        monkeypatch.setattr("hiri_spec.nn.bench.modes.fuse", function)

    return use
