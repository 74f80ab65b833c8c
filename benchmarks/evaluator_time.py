"""Seconds that a score takes, on one thread: `python -m benchmarks.evaluator_time`, some two minutes.

Networks of 4.5 to 5 GMACs drawn from the default space; the scores take turns, so that noise meets all alike. Not run
by `make bench`: it has no target.
"""

from __future__ import annotations

import statistics
import time

from explorer.evaluators import UNTRAINED, load_evaluator
from hiri_spec.nn.threads import threads_set_to

from .evaluators import draw_networks

NETWORKS = 10


def main() -> None:
    """Print the median, least and most of wall time for each score, and the median of the processor's."""
    networks = draw_networks()[:NETWORKS]
    evaluators = {name: load_evaluator(name) for name in UNTRAINED}
    walls: dict[str, list[float]] = {name: [] for name in UNTRAINED}
    processors: dict[str, list[float]] = {name: [] for name in UNTRAINED}
    with threads_set_to(1):
        for evaluate in evaluators.values():
            evaluate(networks[0], 0)  # the first of a process loads kernels
        for spec in networks:
            for name, evaluate in evaluators.items():
                wall, processor = time.perf_counter(), time.process_time()
                evaluate(spec, 0)
                walls[name].append(time.perf_counter() - wall)
                processors[name].append(time.process_time() - processor)
    for name, seconds in walls.items():
        spread = f"{statistics.median(seconds):.4f} s ({min(seconds):.4f} to {max(seconds):.4f})"
        print(f"{name:10}{spread}, processor {statistics.median(processors[name]):.4f} s")


if __name__ == "__main__":
    main()
