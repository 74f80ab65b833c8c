"""`hiri-spec tasks …`: the commands for detection and segmentation."""

from __future__ import annotations

import typer

from .cost import cost
from .evaluate import evaluate
from .heads import list_heads
from .predict import predict
from .shapes import write
from .train import train
from .trying import try_out

tasks = typer.Typer(
    help="Detection and segmentation: backbones under the heads of other libraries.",
    epilog="Example: hiri-spec tasks try hiri_s --head atss",
    no_args_is_help=True,
    rich_markup_mode=None,
)
tasks.command("list", epilog="Example: hiri-spec tasks list --json")(list_heads)
tasks.command("cost", epilog="Example: hiri-spec tasks cost hiri_s --head mask_rcnn --size 800 1333")(cost)
tasks.command("try", epilog="Example: hiri-spec tasks try hiri_s --head atss")(try_out)
tasks.command("train", epilog="Example: hiri-spec tasks train specs/tiny.yaml --head atss --data shapes")(train)
tasks.command("evaluate", epilog="Example: hiri-spec tasks evaluate runs/tiny-atss-shapes --json")(evaluate)
tasks.command("predict", epilog="Example: hiri-spec tasks predict runs/tiny-atss-shapes photo.jpg --out seen")(predict)
tasks.command("shapes", epilog="Example: hiri-spec tasks shapes shapes_data --train 400 --validation 100")(write)
