"""A batch of one image, of which a batch norm sees a single position: torch's error, told as a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import Problem, SpecError


def is_of_single_image(error: ValueError) -> bool:
    """Whether torch says that a batch norm had nothing to normalise by."""
    return "more than 1 value per channel" in str(error)


@contextmanager
def told_single_images() -> Iterator[None]:
    """Raise SpecError in place of what a batch norm in training says of a single position."""
    try:
        yield
    except ValueError as error:
        if not is_of_single_image(error):
            raise
        message = (
            "a batch had one image, of which a batch norm sees a single position, and nothing to normalise by; use "
            "more images a batch, larger ones, or norms that are frozen"
        )
        raise SpecError(Problem(message, "batch_size", code="single_image")) from error
