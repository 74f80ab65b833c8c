"""Data by name: built-in sets, folders, tar files, torchvision's and Hugging Face's."""

from __future__ import annotations

import os
from typing import Any, Literal

from ...document import Document, parse_value
from ...errors import Problem, SpecError, show
from ...messages import validate_as
from .digits import Digits, DigitsOptions
from .images import MODES, ImageSet

Split = Literal["train", "validation"]
SPLITS = ("train", "validation")
BUILTIN: dict[str, tuple[Any, Any]] = {"digits": (Digits, DigitsOptions)}
"""Name: the data set, its options."""


def open_dataset(
    source: str | os.PathLike[str], split: Split, *, resolution: tuple[int, int], in_channels: int = 3
) -> ImageSet:
    """A split of a data source: `digits`, `finegrain:classes=8`, a folder, a tar file, `torch/…`, `hfds/…`.

    Built-in images are drawn at the resolution (height, width) in pixels, others come at their own; `in_channels` is 1
    for grey or 3 for colour. Raises SpecError for whatever is wrong with the source.
    """
    if split not in SPLITS:
        raise SpecError(Problem(f"{show(split)} is no split; use train or validation", "split", code="no_split"))
    if in_channels not in MODES:
        message = f"{in_channels}: images have 1 channel (grey) or 3 (colour) here; use a network that takes so many"
        raise SpecError(Problem(message, "in_channels", code="in_channels"))
    text = os.fspath(source)
    name, _, options = text.partition(":")
    if name in BUILTIN and isinstance(source, str):
        build, model = BUILTIN[name]
        chosen = read_options(options, model, text)
        images: ImageSet = build(split, chosen, resolution, in_channels)
        return images
    raise SpecError(Problem(f"no such data; use {' or '.join(BUILTIN)}", file=text, code="no_data"))


def read_options(text: str, model: Any, source: str) -> Any:
    """Read `classes=8,train=4000` as a model's fields; raises SpecError that names the source."""
    values: dict[str, Any] = {}
    for part in text.split(",") if text else ():
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not name or not equals:
            raise SpecError(Problem(f"{show(part)} sets nothing; write NAME=VALUE", file=source, code="option"))
        values[name] = parse_value(value, source)
    return validate_as(model, Document(values, {}, source), "data source", "its options")
