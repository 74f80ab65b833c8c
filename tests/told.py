"""What a command says when it is run in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Told(NamedTuple):
    """What `hiri-spec` said, and its exit status."""

    status: int
    out: str
    err: str


Command = Callable[..., Told]
