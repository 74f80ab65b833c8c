"""`hiri-spec tasks train`: a network under a head on a data source; the same command goes on where it stopped."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from ...command_line import JsonOption, SetOption
from ...files import parse_assignments
from ...tasks.heads import find_head
from ..extras import require
from ..train import as_dict, describe_result
from ..train_options import (
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
from .task_options import (
    HeadOption,
    HostOption,
    NetworkArgument,
    RegionsOption,
    StridesOption,
    parse_strides,
    told_by_flags,
)


def train(
    network: NetworkArgument,
    data: Annotated[
        str, typer.Option(metavar="SOURCE", help="shapes, or a folder as COCO's; for upernet one as ADE20K's.")
    ],
    head: HeadOption = "mask_rcnn",
    recipe: Annotated[
        str | None,
        typer.Option(metavar="RECIPE", help="A YAML file or a built-in name; by default the data's, else the head's."),
    ] = None,
    set: SetOption = None,
    host: HostOption = None,
    strides: StridesOption = None,
    regions: RegionsOption = None,
    norms: Annotated[
        str | None,
        typer.Option(
            metavar="frozen|trained|synchronised",
            help="The backbone's batch norms; by default frozen with --init-from, else trained.",
        ),
    ] = None,
    classes: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Of the head; by default as many as the data have.")
    ] = None,
    epochs: EpochsOption = None,
    batch_size: BatchSizeOption = None,
    seed: SeedOption = None,
    mixed_precision: PrecisionOption = None,
    out: OutOption = None,
    restart: RestartOption = False,
    init_from: Annotated[
        str | None,
        typer.Option(metavar="FILE|FOLDER", help="Weights of the backbone, such as a run's, or of a whole detector."),
    ] = None,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    tracker: TrackerOption = None,
    checkpoint_grad: CheckpointGradOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network under a head. The same command goes on where it stopped, though it was killed.

    --set changes spec and recipe: optimizer.learning_rate=2e-4, images.short_side=800. In several processes: torchrun
    --nproc_per_node N -m hiri_spec.tasks … Status 130 after Ctrl-C, with all that was done kept.
    """
    with told_by_flags():
        kind = find_head(head)
    changes, wanted = parse_assignments(set or []), parse_strides(strides)
    require("detect")
    flags: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
        "mixed_precision": mixed_precision,
    }
    # torch and timm take seconds to import: after the mistakes that can be told without them
    from ...tasks.goal import score_of
    from ...tasks.run import train_dense
    from ..train_screen import Screen

    with Screen() as screen, told_by_flags():
        result = train_dense(
            network,
            data,
            head,
            host=host,
            strides=wanted,
            norms=norms,
            regions=regions,
            classes=classes,
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
        told = json.dumps(as_dict(result), indent=2) + "\n" if as_json else describe_result(result, *score_of(kind))
        sys.stdout.write(told)
    if result.status == "interrupted":
        if result.is_main:
            sys.stderr.write("stopped; the same command goes on from here\n")
        raise typer.Exit(128 + (result.signal or 2))
