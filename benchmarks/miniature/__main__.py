"""HIRI-ViT's claim in miniature: `python -m benchmarks.miniature [SEEDS [EPOCHS]]`.

A five-stage net with two branches at 320 pixels and a four-stage one at 160, at equal MACs, each trained with several
seeds on finegrain, whose textures can't be seen at the lower resolution: what can be had without them is one in the
number of textures. Prints each accuracy as it comes, then means with 95 % intervals (Student's t). Some half an hour.
"""

from __future__ import annotations

import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from scipy import stats

import hiri_spec

DATA = "finegrain:classes=4,train=1200,validation=600"
SEEDS, EPOCHS = 5, 12
NAMES = ("high", "low")


def train(name: str, seed: int, epochs: int) -> float:
    """Top-1 in per cent after the last epoch."""
    import torch

    from explorer.evaluators import load_evaluator

    torch.set_num_threads(1)
    evaluate = load_evaluator("train", {"data": DATA, "epochs": epochs, "recipe": "short_finegrain"})
    return evaluate(hiri_spec.load(Path(__file__).with_name(f"{name}.yaml")), seed)


def main() -> None:
    """Train them all, two at the same time."""
    seeds, epochs = (int(given) for given in [*sys.argv[1:], *(str(n) for n in (SEEDS, EPOCHS)[len(sys.argv) - 1 :])])
    for name in NAMES:
        total = hiri_spec.cost(hiri_spec.load(Path(__file__).with_name(f"{name}.yaml")))
        print(f"{name}: {total.macs / 1e6:.1f} MMACs, {total.params / 1e6:.3f} M params")
    print(f"{DATA}, {epochs} epochs, {seeds} seeds")
    with ProcessPoolExecutor(2, max_tasks_per_child=1) as pool:
        jobs = {(seed, name): pool.submit(train, name, seed, epochs) for seed in range(seeds) for name in NAMES}
        accuracies: dict[str, list[float]] = {name: [] for name in NAMES}
        for (seed, name), job in jobs.items():
            accuracies[name].append(job.result())
            print(f"seed {seed} {name}: {accuracies[name][-1]:.2f} %", flush=True)
    if seeds < 2:
        return
    differences = [high - low for high, low in zip(*accuracies.values(), strict=True)]
    for what, values in {**accuracies, "high - low": differences}.items():
        half = stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
        print(f"{what}: {statistics.mean(values):.2f} ± {half:.2f}")


if __name__ == "__main__":
    main()
