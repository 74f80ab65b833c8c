"""What `train` and `tasks train` share: their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .trained_options import DeviceOption, WorkersOption

__all__ = [
    "BatchSizeOption",
    "CheckpointGradOption",
    "DeviceOption",
    "EpochsOption",
    "OutOption",
    "PrecisionOption",
    "RestartOption",
    "SeedOption",
    "TrackerOption",
    "WorkersOption",
]

EpochsOption = Annotated[int | None, typer.Option(metavar="N", help="In place of the recipe's.")]
BatchSizeOption = Annotated[
    int | None, typer.Option(metavar="N", help="Images of one step, over all processes; else the recipe's.")
]
SeedOption = Annotated[int | None, typer.Option(metavar="N", help="In place of the recipe's.")]
PrecisionOption = Annotated[str | None, typer.Option(metavar="no|fp16|bf16", help="In place of the recipe's.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="DIR", help="By default runs/ with the names of what is trained.")
]
RestartOption = Annotated[
    bool, typer.Option("--restart", help="Begin anew: what a run has left in the folder is removed.")
]
TrackerOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="tensorboard, wandb or another of accelerate's.")
]
CheckpointGradOption = Annotated[
    bool, typer.Option("--checkpoint-grad", help="Keep less and compute more, where memory is short.")
]
