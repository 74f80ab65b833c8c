"""`python -m hiri_spec.train` where the last process is told to end within its first evaluation, for test_processes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from hiri_spec.cli import app
from hiri_spec.command_line import run_app
from hiri_spec.train import agreement
from hiri_spec.train.classification import Batch, Classification

RANK, COUNT = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
held_out = Classification._held_out


def stopped(self: Classification) -> Iterator[Batch]:
    """Held-out batches; the last process gets its signal while it has the second, and each notes what it had."""
    for number, batch in enumerate(held_out(self), 1):
        Path(f"had-{RANK}").write_text(str(number))
        if number == 2 and RANK == COUNT - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        yield batch


if __name__ == "__main__":
    agreement.AGREEING_STEPS = 2
    Classification._held_out = stopped  # type: ignore[method-assign]
    sys.argv.insert(1, "train")
    run_app(app)
