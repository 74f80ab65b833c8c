"""What `evaluate` and `tasks evaluate` share: options, whose data are meant, and what is told beside the figures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ..errors import Problem, SpecError, suggest
from .progress import ImageProgress

if TYPE_CHECKING:
    from ..train.data.source import Split

SPLITS = ("train", "validation")
SplitOption = Annotated[str, typer.Option(metavar="|".join(SPLITS), help="Which part of the data.")]
MaxUnreadableOption = Annotated[
    float, typer.Option(metavar="SHARE", min=0, max=1, help="Of images that may be passed over as unreadable.")
]


def read_split(text: str) -> Split:
    """The part of the data that is meant; raises SpecError for none."""
    if text not in SPLITS:
        raise SpecError(Problem(f"{text!r} is none of {', '.join(SPLITS)}; {suggest(text, SPLITS)}", "--split"))
    return cast("Split", text)


@contextmanager
def known_data(given: str | None, own: str | None) -> Iterator[str]:
    """The data to open inside: those that are given, or the run's own; raises SpecError where nobody knows any."""
    source = given if given is not None else own
    if source is None:
        raise SpecError(Problem("of plain weights nobody knows their data; name some", "--data", code="no_data"))
    try:
        yield source
    except SpecError as error:
        if given is not None:
            raise
        hint = Problem("that is what the run was trained on; name the data where they are now", "--data")
        raise SpecError([*error.problems, hint]) from None


@contextmanager
def counted_images(total: int) -> Iterator[Callable[[int], None]]:
    """What to tell of images that are done, for the bar; Ctrl-C inside ends the command with status 130."""
    try:
        with ImageProgress(total) as progress:
            yield progress.advance
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        raise typer.Exit(130) from None


def tell_unreadable(images: Mapping[str, str]) -> None:
    """A note on stderr for each image that was passed over, and why."""
    for image, why in images.items():
        sys.stderr.write(f"note: {image} can't be read ({why}), and was passed over\n")
