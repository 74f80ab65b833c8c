"""Plain training, an average (EMA) and EMA distillation, each over several seeds: what they come to on held-out images.

    python -m benchmarks.distillation digits --epochs 10 --seeds 5

Prints a Markdown table: means over the seeds and 95 % intervals by Student's t. Runs lie in --out, and go on there.
"""

import argparse
import math
import statistics
import sys
from pathlib import Path

from scipy.stats import t as student

from hiri_spec.train.run import train

WAYS = ("none", "ema", "ema_distill")


def interval(values: list[float]) -> str:
    """The mean and half of its 95 % interval."""
    half = float(student.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.mean(values):.2f} ± {half:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--network", default="tiny")
    parser.add_argument("--resolution", type=int)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs/distillation"))
    asked = parser.parse_args()
    rows: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for seed in range(asked.seeds):
        for way in WAYS:
            place = asked.data.replace(":", "-").replace(",", "-").replace("=", "")
            result = train(
                asked.network,
                asked.data,
                set={"distillation.distillation": way},
                flags={
                    "epochs": asked.epochs,
                    "seed": seed,
                    "resolution": asked.resolution,
                    "batch_size": asked.batch_size,
                },
                out=asked.out / f"{place}-{way}-{seed}",
            )
            rows[way].append(result.rows[-1])
            sys.stderr.write(f"seed {seed}, {way}: {result.rows[-1]}\n")
    print(f"| {asked.data}, {asked.epochs} epochs, {asked.seeds} seeds | top-1 % | top-1 % of the average | s |")
    print("|---|---|---|---|")
    for way, own in rows.items():
        average = interval([row["ema_top1"] for row in own]) if way != "none" else "–"
        seconds = asked.epochs * statistics.median([row["train_s"] for row in own])
        print(f"| {way} | {interval([row['top1'] for row in own])} | {average} | {seconds:.0f} |")


if __name__ == "__main__":
    main()
