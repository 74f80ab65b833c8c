"""Weights of detectors and segmenters: safetensors with spec, task, classes and image sizes inside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from torch import nn

from ..document import parse
from ..errors import Problem, SpecError
from ..messages import validate
from ..nn.checkpoint import write_weights
from ..nn.load import read_weights
from ..nn.transfer import transfer_weights
from ..saving import to_yaml
from ..schema import ModelSpec
from ..train.networks import find_start, start_from
from .model import DenseModel
from .recipe import Images
from .task import Task

KEY = "hiri_spec.dense"
"""Where what belongs to the weights is in the header of their file."""


class DenseBelongings(BaseModel):
    """What goes with the weights: all that it takes to build the model anew and to use it.

    `spec` is YAML, or None where the backbone is timm's model `network`.
    """

    model_config = ConfigDict(frozen=True)

    network: str
    spec: str | None
    task: Task
    class_names: tuple[str, ...]
    images: Images

    @classmethod
    def describe(cls, origin: ModelSpec | str, task: Task, class_names: tuple[str, ...], images: Images) -> Self:
        """Those of a model; `images` says how images are made ready, of which evaluation's sizes are used."""
        name, text = (origin, None) if isinstance(origin, str) else (origin.name, to_yaml(origin))
        return cls(network=name, spec=text, task=task, class_names=class_names, images=images)

    @property
    def origin(self) -> ModelSpec | str:
        """The backbone's spec, or its name in timm."""
        return self.network if self.spec is None else validate(parse(self.spec, "the spec inside"))


def save_dense(model: nn.Module, belongings: DenseBelongings, folder: Path) -> None:
    """Write weights and what belongs to them into a folder, whole or not at all; raises SpecError if that can't be."""
    write_weights(model, folder, {KEY: belongings.model_dump_json()})


def read_belongings(place: Path) -> DenseBelongings | None:
    """What belongs to the weights in a file; None where it is no such model's. Raises SpecError if it can't be read."""
    if place.suffix != ".safetensors":
        return None
    try:
        with safe_open(place, "pt") as file:
            text = (file.metadata() or {}).get(KEY)
    except (SafetensorError, OSError) as error:
        message = f"can't be read: {error}; it is damaged, or no safetensors file. Name another"
        raise SpecError(Problem(message, file=str(place), code="unreadable")) from None
    try:
        return None if text is None else DenseBelongings.model_validate_json(text)
    except ValidationError:
        message = "says of its head and classes what this version can't read; use the version that wrote it"
        raise SpecError(Problem(message, file=str(place), code="unreadable")) from None


def begin_with(model: DenseModel, source: str, argument: str = "--init-from") -> str:
    """Load what fits of weights that a training is to begin with; returns a report.

    Those of a detector or segmenter go into the whole model, all others into the backbone; what was carried is in
    `model.transfer`. Raises SpecError, told of the `argument`, where there are none, or where nothing of them fits.
    """
    try:
        place = find_start(source)
        if read_belongings(place) is None and not _is_whole(place):
            _, model.transfer = start_from(model.maps.network, source)
            return f"backbone from {place}\n{model.transfer}"
        model.transfer = transfer_weights(model, read_weights(place).tensors)
        if not model.transfer.carried:
            message = "nothing in it fits this model; leave it out, or give weights of one that is like it"
            raise SpecError(Problem(message, argument, file=str(place), code="nothing_carried"))
        return f"weights of {place}\n{model.transfer}"
    except SpecError as error:
        own = (replace(each, path=argument) if each.path == "--init-from" else each for each in error.problems)
        raise SpecError(own) from None


def _is_whole(place: Path) -> bool:
    """Whether a file of torch's, such as a run's checkpoint, holds a whole model: a backbone with all around it."""
    if place.suffix == ".safetensors":
        return False
    return any(name.startswith("maps.network.") for name in read_weights(place).tensors)
