"""What `evaluate` and `predict` share: their options, and the network that is meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import Problem, SpecError
from ..quantities import parse_resolutions

if TYPE_CHECKING:
    from ..train.trained import Trained

NetworkArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN|WEIGHTS", help="The folder of a run, or a safetensors file (or its folder) with its spec inside."
    ),
]
EmaOption = Annotated[bool, typer.Option("--ema", help="Of a run: the weights of its moving average.")]
LastOption = Annotated[bool, typer.Option("--last", help="Of a run: its last weights in place of its best.")]
ResolutionOption = Annotated[
    str | None,
    typer.Option("--resolution", "-r", metavar="SIZE", help="Image size; by default that of the training."),
]
ClassesOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Names of the classes: one a line, or JSON; by default those of the training."),
]
BatchOption = Annotated[int, typer.Option("--batch-size", metavar="N", min=1, help="Images at once.")]
WorkersOption = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="Processes that read images; by default one a spare core.")
]
DeviceOption = Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where to run.")]


def load_network(source: str, *, ema: bool, last: bool, resolution: str | None, classes: Path | None) -> Trained:
    """The network that is meant, with all that was asked for."""
    sizes = [None] if resolution is None else list(parse_resolutions(resolution))
    if len(sizes) != 1:
        raise SpecError(Problem("images are made ready at one size; give one", "--resolution"))
    # torch and timm take seconds to import: after the mistakes that can be told without them
    from dataclasses import replace

    from ..train.class_names import read_class_names
    from ..train.trained import load_trained

    trained = load_trained(source, ema=ema, last=last, resolution=sizes[0])
    if classes is None:
        return trained
    return replace(trained, class_names=read_class_names(classes, trained.classes))
