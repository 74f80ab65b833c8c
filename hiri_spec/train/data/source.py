"""Data by name: built-in sets, folders, tar files, torchvision's and the hub's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from ...document import Document, parse_value
from ...errors import Problem, SpecError, show, suggest
from ...messages import validate_as
from .classes import check_same, reorder
from .digits import Digits, DigitsOptions
from .finegrain import Finegrain, FinegrainOptions
from .folder import open_folder
from .images import MODES, ImageSet
from .named import STREAMS, HubImages, HubOptions, TorchImages, TorchOptions

Split = Literal["train", "validation"]
Options = TypeVar("Options", bound=BaseModel)
BUILTIN = ("digits", "finegrain")


def open_dataset(
    source: str | os.PathLike[str],
    split: Split,
    *,
    resolution: tuple[int, int],
    in_channels: int = 3,
    class_names: Sequence[str] | None = None,
) -> ImageSet:
    """A split of a data source: `digits`, `finegrain:classes=8`, a folder, a tar file, `torch/…`, `hfds/…`.

    Built-in images are drawn at the resolution (height, width) in pixels, others come at their own; `in_channels` is 1
    for grey or 3 for colour. `class_names` gives the order that class indices follow, where it is that of a trained
    network. Raises SpecError for whatever is wrong with the source.
    """
    if split not in ("train", "validation"):
        raise SpecError(Problem(f"{show(split)} is no split; use train or validation", "split", code="no_split"))
    if in_channels not in MODES:
        message = f"{in_channels}: images have 1 channel (grey) or 3 (colour) here; use a network that takes so many"
        raise SpecError(Problem(message, "in_channels", code="in_channels"))
    images = _open(source, split, resolution, in_channels)
    return images if class_names is None else reorder(images, class_names, os.fspath(source))


def open_splits(
    source: str | os.PathLike[str], *, resolution: tuple[int, int], in_channels: int = 3
) -> tuple[ImageSet, ImageSet]:
    """Training and validation images of a data source, of the same classes; see `open_dataset`."""
    training, validation = (
        open_dataset(source, split, resolution=resolution, in_channels=in_channels) for split in SPLITS
    )
    return training, check_same(training, validation, os.fspath(source))


SPLITS: tuple[Split, Split] = ("train", "validation")


def _open(source: str | os.PathLike[str], split: Split, resolution: tuple[int, int], in_channels: int) -> ImageSet:
    text = os.fspath(source)
    path = Path(text).expanduser()
    name, _, options = text.partition(":") if isinstance(source, str) else (text, "", "")
    family = name.partition("/")[0].lower()
    if isinstance(source, str):
        if name == "digits":
            return Digits(split, read_options(options, DigitsOptions, text), resolution, in_channels)
        if name == "finegrain":
            return Finegrain(split, read_options(options, FinegrainOptions, text), resolution, in_channels)
        if family == "torch" and "/" in name:
            return TorchImages(name, split, read_options(options, TorchOptions, text), in_channels, text)
        if family == "hfds" and "/" in name:
            return HubImages(name, split, read_options(options, HubOptions, text), in_channels, text)
        if family in STREAMS and "/" in name:
            message = "is read from its beginning on, so no run could go on in the middle of it; use hfds/ or a folder"
            raise SpecError(Problem(message, file=text, code="stream"))
    if not text or _is_missing(path):
        hint = suggest(name, BUILTIN) if text else f"name a folder, or use {' or '.join(BUILTIN)}"
        message = f"no such folder, and no built-in data of that name; {hint}"
        raise SpecError(Problem(message, file=text, code="no_data"))
    return open_folder(path, split, in_channels)


def _is_missing(path: Path) -> bool:
    try:
        return not path.is_dir() and not path.is_file()
    except OSError:  # opening it tells what is wrong
        return False


def read_options(text: str, model: type[Options], source: str) -> Options:
    """Read `classes=8,train=4000` as a model's fields; raises SpecError that names the source."""
    values: dict[str, Any] = {}
    for part in text.split(",") if text else ():
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not name or not equals:
            raise SpecError(Problem(f"{show(part)} sets nothing; write NAME=VALUE", file=source, code="option"))
        values[name] = parse_value(value, source)
    return validate_as(model, Document(values, {}, source), "data source", "its options")
