"""How many times the trials of one worker two have, with an evaluator that waits for 100 ms."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from explorer.search import search

from .clock import Clock
from .timing import report

EVALUATOR = "import time\n\n\ndef wait(spec, seed):\n    time.sleep(0.1)\n    return seed % 97\n"
TRIALS = 60
ROUNDS = 3


def _rate(workers: int) -> float:
    """Trials a second once all workers are at work: starting their processes is not in it."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "waiting.py").write_text(EVALUATOR)
        search(
            "5gflops",
            trials=TRIALS,
            evaluator=f"{folder}/waiting.py:wait",
            workers=workers,
            out=folder / "run",
            watcher=clock,
        )
    warm = clock.times[2 * workers :]
    return (len(warm) - 1) / (warm[-1] - warm[0])


def two_workers() -> bool:
    """Two workers against one, in turn."""
    ratios = [_rate(2) / _rate(1) for _ in range(ROUNDS)]
    ratio = statistics.median(ratios)
    return report(
        "trials a second with 2 workers over 1, evaluations of 100 ms", f"{ratio:.2f} x", "1.8 x", ratio >= 1.8
    )
