"""What `tasks evaluate` and `tasks predict` share: which weights, and at what size of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import Problem, SpecError
from ...tasks.recipe import LARGEST_IMAGE_SIDE

if TYPE_CHECKING:
    from ...tasks.recipe import Images

RunArgument = Annotated[
    str, typer.Argument(metavar="RUN|WEIGHTS", help="The folder of a run of tasks train, or a weights file of one.")
]
SizeOption = Annotated[
    tuple[int, int] | None,
    typer.Option(metavar="SHORT LONGEST", help="Length of images' shorter sides, and the most that longer ones get."),
]


def read_sizes(size: tuple[int, int] | None, own: Images) -> Images:
    """How images are made ready: as in training, or with other sizes."""
    if size is None:
        return own
    short, longest = size
    if not 0 < short <= longest <= LARGEST_IMAGE_SIDE:
        message = (
            f"{short} {longest} are no sizes; give the shorter side, 1 or more, and the most of the longer one, "
            f"{LARGEST_IMAGE_SIDE:,} or less"
        )
        raise SpecError(Problem(message, "--size", code="size"))
    return own.model_copy(update={"short_side": short, "longest_side": longest})
