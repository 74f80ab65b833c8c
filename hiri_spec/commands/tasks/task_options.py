"""What the commands of tasks share: a network, a head on it, and whose words their mistakes are told in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...errors import Problem, SpecError
from ...tasks.heads import HEADS, HOSTS

if TYPE_CHECKING:
    from ...tasks.task import Task

NetworkArgument = Annotated[
    str,
    typer.Argument(metavar="SPEC", help="A YAML file, a built-in name such as hiri_s, or a model of timm's."),
]
HeadOption = Annotated[str, typer.Option(metavar="HEAD", help=f"One of {', '.join(HEADS)}.")]
HostOption = Annotated[
    str | None,
    typer.Option(metavar="|".join(HOSTS), help="The library that the head is taken from; by default its first."),
]
StridesOption = Annotated[
    str | None,
    typer.Option(metavar="STRIDES", help="Of the maps that feed the neck, e.g. 8,16,32,64; by default the usual."),
]
RegionsOption = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Of an image, that a head with two stages learns from; by default 512, 300 in sparse_rcnn."
    ),
]
FLAGS = {name: f"--{name}" for name in ("head", "host", "classes", "strides", "regions", "norms")} | {"network": "SPEC"}


@contextmanager
def told_by_flags() -> Iterator[None]:
    """A mistake in a task's field is told as one in the option that gave it."""
    try:
        yield
    except SpecError as error:
        raise SpecError(replace(each, path=FLAGS.get(each.path, each.path)) for each in error.problems) from error


def read_options(head: str, host: str | None, classes: int, strides: str | None, regions: int | None) -> Task:
    """The task of a call's options."""
    from ...tasks.task import read_task

    values: dict[str, Any] = {"head": head, "host": host, "classes": classes, "strides": parse_strides(strides)}
    values["regions"] = regions
    with told_by_flags():
        return read_task(values)


def parse_strides(text: str | None) -> Sequence[int] | None:
    """`8,16,32` as numbers; raises SpecError for other things."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise SpecError(Problem(f"{text!r} are no strides; write them like 8,16,32", "--strides", code="strides"))
    return [int(part) for part in parts]
