"""Folders of images, a folder a class, and tar files of the same."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from timm.data.readers.reader_image_in_tar import ReaderImageInTar
from timm.utils.misc import natural_key
from torchvision.datasets.folder import IMG_EXTENSIONS, make_dataset

from ...errors import Problem, SpecError
from .classes import list_some
from .images import ImageSet, Sample, decode

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid", "eval", "evaluation", "test"),
}
"""What the folder, or the tar file, of a split may be called; the first that is there is taken."""


def open_folder(root: Path, split: str, in_channels: int) -> ImageSet:
    """A split of a folder or tar file; raises SpecError that names the folder and what to do about it."""
    try:
        place = find_split(root, split)
        if place.is_file() or (not class_folders(place) and any(place.glob("*.tar"))):
            return TarImages(place, in_channels)
        return FolderImages(place, in_channels)
    except OSError as error:
        why = error.strerror or str(error)
        raise _error(Path(error.filename or root), f"can't be read: {why}; {_RIGHTS}", "unreadable") from None


def find_split(root: Path, split: str) -> Path:
    """Where a split's images lie. What has no splits at all is taken for validation images."""
    if root.is_file() and root.suffix != ".tar":
        raise _error(root, "is neither a folder nor a .tar file; name the folder that the images lie in", "no_folder")
    found = {name: _find_one(root, names) for name, names in SPLIT_NAMES.items()}
    place = found[split]
    if place is not None:
        return place
    if split == "validation" and not any(found.values()):
        return root
    first, *others = SPLIT_NAMES[split]
    if root.is_file():
        what = "put train.tar and validation.tar into one folder, and name that"
    else:
        what = f"put its images into {root / first}, a folder a class (it may be called {', '.join(others)} too)"
    raise _error(root, f"has no {split} split; {what}", "no_split")


def _find_one(root: Path, names: Iterable[str]) -> Path | None:
    for name in names:
        for place in (root / name, root / f"{name}.tar"):
            if place.is_dir() or (place.suffix and place.is_file()):
                return place
    return None


def class_folders(place: Path) -> list[str]:
    """The folders in a folder; hidden ones are no classes."""
    return [entry.name for entry in os.scandir(place) if entry.is_dir() and not entry.name.startswith(".")]


def sort_classes(names: Iterable[str]) -> list[str]:
    """Class names in the order of their indices; numbers go by size, not by their digits."""
    return sorted(names, key=lambda name: (natural_key(name), name))


_RIGHTS = "give yourself the right to read it"


class FolderImages(ImageSet):
    """The images in a folder's folders, of any depth; the folders are the classes, as for torchvision's ImageFolder."""

    def __init__(self, place: Path, in_channels: int) -> None:
        names = sort_classes(class_folders(place))
        if not names:
            raise _error(
                place, "has no folders in it; put the images of each class into a folder of its name", "no_classes"
            )
        # the search below would pass over them as if they were empty
        closed = [name for name in names if not os.access(place / name, os.R_OK | os.X_OK)]
        if closed:
            raise _error(place, f"{list_some(closed)} can't be read: permission denied; {_RIGHTS}", "unreadable")
        indices = {name: index for index, name in enumerate(names)}
        self._samples: list[tuple[str, int]] = make_dataset(place, indices, IMG_EXTENSIONS, allow_empty=True)
        filled = {target for _, target in self._samples}
        empty = [name for name in names if indices[name] not in filled]
        if empty:
            what = f"no images ({', '.join(IMG_EXTENSIONS)}) in {'it' if len(empty) == 1 else 'them'}"
            raise _error(place, f"{list_some(empty)} has {what}; put some there, or remove the folder", "empty_class")
        self.class_names = tuple(names)
        self.in_channels = in_channels

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        path, target = self._samples[index]
        return decode(path, self.in_channels), target

    def describe(self, index: int) -> str:
        return self._samples[index][0]


class TarImages(ImageSet):
    """The images in a tar file's folders, or in a folder's tar files; found by timm."""

    def __init__(self, place: Path, in_channels: int) -> None:
        # timm keeps the list of a large file's images beside it, where it may
        may_write = os.access(place if place.is_dir() else place.parent, os.W_OK)
        try:
            reader = ReaderImageInTar(str(place), cache_tarinfo=None if may_write else False)
        except (OSError, ValueError, AssertionError, tarfile.TarError) as error:
            why = f"({error}); it must hold images in folders, a folder a class"
            raise _error(place, f"can't be read as a tar file of images {why}", "unreadable") from None
        names = sort_classes(reader.class_name_to_idx)
        if "" in names:
            raise _error(place, "has images outside of folders; put those of each class into one", "no_classes")
        indices = {reader.class_name_to_idx[name]: index for index, name in enumerate(names)}
        self._targets = [indices[target] for target in reader.targets.tolist()]
        self._members = reader.samples
        self._place = place
        self.class_names = tuple(names)
        self.in_channels = in_channels

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, index: int) -> Sample:
        # not by timm's reader, which keeps files open, and worker processes would share their position in them
        member, file, around = self._members[index]
        with (self._place if file is None else self._place / file).open("rb") as stream:
            stream.seek(member.offset_data + (around.offset_data if around is not None else 0))
            content = stream.read(member.size)
        return decode(BytesIO(content), self.in_channels), self._targets[index]

    def describe(self, index: int) -> str:
        member, file, _ = self._members[index]
        return f"{member.name} in {self._place if file is None else self._place / file}"


def _error(place: Path, message: str, code: str) -> SpecError:
    return SpecError(Problem(message, file=str(place), code=code))
