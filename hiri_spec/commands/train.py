"""`hiri-spec train`: a network on a data source by a recipe; the same command goes on where it stopped."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..command_line import JsonOption, SetOption
from ..files import parse_assignments
from ..quantities import format_count
from .extras import require
from .train_options import (
    BatchSizeOption,
    CheckpointGradOption,
    DeviceOption,
    EpochsOption,
    OutOption,
    PrecisionOption,
    RestartOption,
    SeedOption,
    TrackerOption,
    WorkersOption,
)

if TYPE_CHECKING:
    from ..train.run import TrainResult


def train(
    network: Annotated[
        str,
        typer.Argument(metavar="SPEC", help="A YAML file, a built-in name, or timm's (timm:NAME where both have it)."),
    ],
    data: Annotated[
        str,
        typer.Option(metavar="SOURCE", help="digits, finegrain, a folder with train/ and val/, or another of timm's."),
    ],
    recipe: Annotated[
        str | None,
        typer.Option(metavar="RECIPE", help="A YAML file or a built-in name; by default the data's, else imagenet."),
    ] = None,
    set: SetOption = None,
    resolution: Annotated[
        str | None, typer.Option("--resolution", "-r", metavar="SIZE", help="Image size; by default the spec's.")
    ] = None,
    epochs: EpochsOption = None,
    batch_size: BatchSizeOption = None,
    seed: SeedOption = None,
    mixed_precision: PrecisionOption = None,
    out: OutOption = None,
    restart: RestartOption = False,
    init_from: Annotated[
        str | None,
        typer.Option(metavar="FILE|FOLDER", help="Begin with what fits of these weights, or of a run's best/."),
    ] = None,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    tracker: TrackerOption = None,
    checkpoint_grad: CheckpointGradOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network. The same command goes on where it stopped, though it was killed.

    --set changes spec and recipe: head.classes=10, optimizer.learning_rate=0.002. Status 130 after Ctrl-C, with all
    that was done kept.
    """
    changes = parse_assignments(set or [])
    require("train")
    from ..train.settings import parse_size

    flags: dict[str, Any] = {
        "resolution": parse_size(resolution),
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
        "mixed_precision": mixed_precision,
    }
    # torch and timm take seconds to import: after the mistakes that can be told without them
    from ..train.run import train as run
    from .train_screen import Screen

    with Screen() as screen:
        result = run(
            network,
            data,
            recipe=recipe,
            set=changes,
            flags=flags,
            out=out,
            init_from=init_from,
            device=device,
            workers=workers,
            tracker=tracker,
            checkpoint_grad=checkpoint_grad,
            restart=restart,
            watcher=screen,
        )
    if result.is_main:
        sys.stdout.write(json.dumps(as_dict(result), indent=2) + "\n" if as_json else describe_result(result))
    if result.status == "interrupted":
        if result.is_main:
            sys.stderr.write("stopped; the same command goes on from here\n")
        raise typer.Exit(128 + (result.signal or 2))


def as_dict(result: TrainResult) -> dict[str, Any]:
    """A run for JSON."""
    return {"status": result.status, "out": str(result.out), "steps": result.steps, "epochs": result.rows}


def describe_result(result: TrainResult, score: str = "top1", label: str = "top-1") -> str:
    """What a finished command says: the last and the best scores, and where the better weights are."""
    lines = []
    if result.status == "already_finished":
        lines.append(f"{result.out} is finished, nothing was done; --restart or another --out trains anew")
    if result.rows:
        last, (row, best) = result.rows[-1], _best(result.rows, score)
        figures = [f"{label} {_per_cent(last[score])} (best {_per_cent(best)} after epoch {row['epoch']})"]
        weights, average = "best", f"ema_{score}"
        if last[average] is not None:
            _, best_average = _best(result.rows, average)
            figures.append(f"its average {_per_cent(last[average])} (best {_per_cent(best_average)})")
            weights = "best_ema" if (best_average or 0) > (best or 0) else "best"
        done = f"{format_count(last['epoch'], 'epoch')}, {format_count(result.steps, 'step')}"
        lines.append(f"{done}: {', '.join(figures)}")
        lines.append(f"weights: {result.out / weights}; figures: {result.out / 'metrics.csv'}")
    return "".join(f"{line}\n" for line in lines)


def _best(rows: list[dict[str, Any]], name: str) -> tuple[dict[str, Any], float | None]:
    row = max(rows, key=lambda row: -1.0 if row[name] is None else row[name])
    return row, row[name]


def _per_cent(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f} %"
