"""Which class is which, where images come from one place and the order of the classes from another."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import Problem, SpecError, show
from .images import ImageSet, Sample

SHOWN = 5


def reorder(images: ImageSet, class_names: Sequence[str], source: str) -> ImageSet:
    """The same images with indices into `class_names`, of which some may be missing.

    Names that are all numbers, as in ImageNet-V2, are indices themselves where they aren't names. Raises SpecError for
    classes that are not in `class_names`.
    """
    known = {name: index for index, name in enumerate(class_names)}
    unknown = [name for name in images.class_names if name not in known]
    if not unknown:
        indices = [known[name] for name in images.class_names]
    elif all(name.isdecimal() and int(name) < len(class_names) for name in images.class_names):
        indices = [int(name) for name in images.class_names]
    else:
        message = (
            f"has classes that are not trained: {list_some(unknown)}; remove them, or name them like those of training"
        )
        raise SpecError(Problem(message, file=source, code="unknown_class"))
    if images.class_names == tuple(class_names):
        return images
    return Reordered(images, tuple(class_names), indices)


def check_same(training: ImageSet, validation: ImageSet, source: str) -> ImageSet:
    """The validation images with the indices of the training images' classes; raises SpecError if they differ."""
    reordered = reorder(validation, training.class_names, source)
    present = reordered.indices if isinstance(reordered, Reordered) else range(len(training.class_names))
    missing = [name for index, name in enumerate(training.class_names) if index not in set(present)]
    if missing:
        message = f"has no validation images of {list_some(missing)}; add some, or remove their training images"
        raise SpecError(Problem(message, file=source, code="missing_class"))
    return reordered


def list_some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(show(name) for name in names[:SHOWN]) + more


class Reordered(ImageSet):
    """Images with other indices of their classes."""

    def __init__(self, images: ImageSet, class_names: tuple[str, ...], indices: Sequence[int]) -> None:
        self._images = images
        self.indices = indices
        self.class_names = class_names
        self.in_channels = images.in_channels

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Sample:
        image, target = self._images[index]
        return image, self.indices[target]

    def describe(self, index: int) -> str:
        return self._images.describe(index)
