"""Images by their files, without classes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from timm.utils.misc import natural_key
from torchvision.datasets.folder import IMG_EXTENSIONS

from ...errors import Problem, SpecError, suggest
from .images import MODES, ImageSet, Sample, decode


def list_images(sources: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The files that are named, and the images in the folders that are, of any depth, 2.jpg before 10.jpg.

    A file is taken whatever it is called; of a folder's, those that are called like images, hidden ones left out.
    Raises SpecError for what is not there, a folder without images, and one that can't be read.
    """
    found: list[Path] = []
    for source in sources:
        place = Path(source)
        if place.is_dir():
            inside = sorted(_walk(place), key=lambda path: (natural_key(str(path)), str(path)))
            if not inside:
                message = f"has no images ({', '.join(IMG_EXTENSIONS)}) in it; name another folder, or files"
                raise SpecError(Problem(message, file=str(place), code="no_images"))
            found += inside
        elif place.exists():
            found.append(place)
        else:
            raise _missing(place)
    return found


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        message = f"can't be read: {error.strerror or error}; give yourself the right to read it"
        raise SpecError(Problem(message, file=error.filename or str(folder), code="unreadable")) from None

    for root, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.lower().endswith(IMG_EXTENSIONS) and not name.startswith("."):
                yield Path(root, name)


def list_siblings(place: Path) -> list[str]:
    """The names beside a place where nothing is, hidden ones left out, of which one may be meant."""
    if not place.parent.is_dir():
        return []
    return [other.name for other in place.parent.iterdir() if not other.name.startswith(".")]


def _missing(place: Path) -> SpecError:
    siblings = list_siblings(place)
    hint = f"; {suggest(place.name, siblings)}" if siblings else ""
    return SpecError(Problem(f"no such file or folder{hint}", file=str(place), code="no_file"))


class ImageFiles(ImageSet):
    """Image files, the class index of each being its own place in their order."""

    def __init__(self, paths: Sequence[Path], in_channels: int) -> None:
        if in_channels not in MODES:
            message = f"{in_channels}: image files have 1 channel (grey) or 3 (colour); use a network for those"
            raise SpecError(Problem(message, "in_channels", code="in_channels"))
        self.paths = paths
        self.class_names = ()
        self.in_channels = in_channels

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Sample:
        return decode(str(self.paths[index]), self.in_channels), index

    def describe(self, index: int) -> str:
        return str(self.paths[index])
