"""HIRI-ViT's claim in miniature: `python -m benchmarks.miniature [SEEDS [EPOCHS]]`, some twenty minutes on two cores.

A five-stage net with two branches at 256 pixels and a four-stage one at 128, at equal MACs, each trained with several
seeds on finegrain, whose textures can't be seen at the lower resolution: what can be had without them is one in the
number of textures. Prints each accuracy as it comes, then means with 95 % intervals (Student's t).
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from scipy import stats

import hiri_spec
from explorer.evaluation.outcome import Task
from explorer.evaluation.processes import Processes
from explorer.evaluators import choose
from explorer.trust.measuring import go_on

DATA = "finegrain:classes=8,train=1600,validation=800"
RECIPE = str(Path(__file__).with_name("miniature_recipe.yaml"))
NAMES = ("high", "low")


def main(seeds: int = 5, epochs: int = 10) -> None:
    """Train them all, two at the same time."""
    specs = {name: hiri_spec.load(Path(__file__).with_name(f"miniature_{name}.yaml")) for name in NAMES}
    for name, spec in specs.items():
        total = hiri_spec.cost(spec)
        print(f"{name}: {total.macs / 1e6:.1f} MMACs, {total.params / 1e6:.3f} M params")
    print(f"{DATA}, {epochs} epochs, {seeds} seeds")
    chosen = choose("train", {"data": DATA, "epochs": epochs, "recipe": RECIPE})
    left = [(name, seed) for seed in range(seeds) for name in NAMES]
    jobs = dict(enumerate(left))
    accuracies: dict[str, dict[int, float]] = {name: {} for name in NAMES}
    with Processes(chosen, 2, report=go_on) as evaluation:
        waiting = list(jobs)
        while waiting or evaluation.running:
            while waiting and evaluation.is_free:
                number = waiting.pop(0)
                name, seed = jobs[number]
                evaluation.submit(Task(number, specs[name], seed))
            outcome = evaluation.next()
            assert outcome is not None
            name, seed = jobs[outcome.number]
            if outcome.score is None:
                sys.exit(f"{name}, seed {seed}: {outcome.failure}\n{outcome.traceback}")
            accuracies[name][seed] = outcome.score
            print(f"seed {seed} {name}: {outcome.score:.2f} % in {outcome.seconds:.0f} s", flush=True)
    if seeds > 1:
        differences = {seed: accuracies["high"][seed] - accuracies["low"][seed] for seed in range(seeds)}
        for what, values in {**accuracies, "high - low": differences}.items():
            numbers = list(values.values())
            half = stats.t.ppf(0.975, seeds - 1) * statistics.stdev(numbers) / seeds**0.5
            print(f"{what}: {statistics.mean(numbers):.2f} ± {half:.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
