"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], bool], most_s: float = 60.0) -> None:
    """Look again and again, for so long at most."""
    ends = time.monotonic() + most_s
    while not is_so():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.02)
