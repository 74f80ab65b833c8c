"""What was trained, found again: the network of a run or of a weights file, and how its images are made ready."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import timm
import torch
from torch import nn

from ..checkpoint_file import WEIGHTS_NAME, read_checkpoint
from ..errors import Problem, SpecError, suggest
from ..nn.backbone import Backbone
from ..nn.bench.models import tell
from ..nn.checkpoint import from_pretrained
from ..nn.hub import locate
from ..nn.load import load_weights
from ..quantities import LARGEST_IMAGE_SIDE, format_resolution
from .augmentation import Augmentation
from .belongings import Belongings
from .data.image_files import list_siblings
from .networks import read_timm_network
from .run_folder import RUN_NAME, WEIGHTS, Run, RunFolder


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained network, in eval mode, and what belongs to it.

    `resolution` is height and width in pixels; `class_names` are those of its first scores, None where nobody knows
    them; `augmentation` says how held-out images are made ready; `data` is what it was trained on, if that is known.
    """

    model: nn.Module
    name: str
    weights: Path
    classes: int
    class_names: tuple[str, ...] | None
    resolution: tuple[int, int]
    in_channels: int
    augmentation: Augmentation
    data: str | None = None

    def name_class(self, index: int) -> str:
        """The name of a class, or its index where it has none."""
        names = self.class_names or ()
        return names[index] if index < len(names) else str(index)


def load_trained(
    source: str | os.PathLike[str],
    *,
    ema: bool = False,
    last: bool = False,
    resolution: tuple[int, int] | None = None,
) -> Trained:
    """Load what a run's folder, a weights file (or its folder) with the spec inside, or a hub repository holds.

    Of a run, the best weights are taken or the `last` ones, the network's own or its moving average's (`ema`).
    `resolution` is another image size, height and width in pixels. Weights that a run wrote bring the names of their
    classes and the way of their images with them, wherever they lie now, others the defaults of their network. Raises
    SpecError where there are no such weights, where they give no scores, and for a size that the network refuses.
    """
    asked = RunFolder(Path(source))
    if asked.holds_run:
        asked.read_run()  # of another kind of task: that says which command is meant
    place = find_trained(source, ema=ema, last=last)
    loaded = _load_timm(place) if read_checkpoint(place).spec is None else _load_spec(place)
    belongings = Belongings.read(place)
    if belongings is not None:
        loaded = replace(loaded, class_names=belongings.class_names, augmentation=belongings.augmentation)
    around = place.absolute().parent
    folder = RunFolder(around.parent)
    if folder.holds_run and around.name in WEIGHTS:
        loaded = _as_of_run(loaded, folder.read_run(), folder)
    return loaded if resolution is None else _resized(loaded, resolution)


def find_trained(source: str | os.PathLike[str], *, ema: bool, last: bool) -> Path:
    """The weights file that is meant."""
    place = Path(source)
    folder = RunFolder(place)
    if folder.holds_run:
        return _find_in_run(folder, ("last" if last else "best") + ("_ema" if ema else ""))
    if ema or last:
        flag = "--ema" if ema else "--last"
        message = f"is for the folder of a run, and {place} is none; name its folder, or leave it out"
        raise SpecError(Problem(message, flag, code="no_run"))
    if place.is_dir() and not (place / WEIGHTS_NAME).is_file():
        message = f"is neither a run's folder, with {RUN_NAME} in it, nor one of weights, with {WEIGHTS_NAME}"
        raise SpecError(Problem(f"{message}; name another", file=str(place), code="no_run"))
    if not place.exists() and place.parent != Path() and place.parent.is_dir():
        # mistyped, most likely: the hub would be asked for it in vain, for a minute where there is no network
        known = list_siblings(place)
        hint = suggest(place.name, known) if known else f"{place.parent} is empty"
        raise SpecError(Problem(f"no such file or folder; {hint}", file=str(place), code="no_file"))
    return locate(source)


def _find_in_run(folder: RunFolder, name: str) -> Path:
    place = folder.path / name / WEIGHTS_NAME
    if place.is_file():
        return place
    there = [each for each in WEIGHTS if (folder.path / each / WEIGHTS_NAME).is_file()]
    if not there:
        message = "has no weights yet: they are written at the end of an epoch; wait, or run its command again"
    elif not any(each.endswith("_ema") for each in there):
        message = "has kept no average of its network; leave out --ema"
    else:
        message = f"has no {name}; there are {', '.join(there)}"
    raise SpecError(Problem(message, file=str(folder.path), code="no_weights"))


def _load_spec(place: Path) -> Trained:
    model = from_pretrained(place)
    if not model.num_classes:
        message = "has no classifier, so it gives no scores; name weights that were saved with theirs"
        raise SpecError(Problem(message, file=str(place), code="no_classifier"))
    return Trained(
        model,
        model.spec.name,
        place,
        model.num_classes,
        None,
        model.spec.size,
        model.spec.in_channels,
        _usual(model.pretrained_cfg),
    )


def _load_timm(place: Path) -> Trained:
    network = read_timm_network(place)
    if network is None:
        message = "has no spec inside and is no run's of a timm model, so nobody knows its network; name other weights"
        raise SpecError(Problem(message, file=str(place), code="no_spec"))
    model = network.build()
    load_weights(model, place)
    return Trained(
        model.eval(),
        network.name,
        place,
        network.classes,
        None,
        network.resolution,
        network.in_channels,
        _usual(cast(Any, model).pretrained_cfg),
    )


def _usual(config: dict[str, Any]) -> Augmentation:
    """How images are made ready for a network by what timm's `pretrained_cfg` says of it."""
    mean, std = config["mean"], config["std"]
    return Augmentation(
        mean=mean if len(mean) == 3 else (mean[0],) * 3,
        std=std if len(std) == 3 else (std[0],) * 3,
        interpolation=config["interpolation"],
        crop_fraction=config["crop_pct"],
    )


def _as_of_run(loaded: Trained, run: Run, folder: RunFolder) -> Trained:
    return replace(
        loaded,
        class_names=run.class_names,
        resolution=run.resolution,
        augmentation=folder.read_recipe().augmentation,
        data=run.data,
    )


def _resized(loaded: Trained, resolution: tuple[int, int]) -> Trained:
    """The same network for another image size; raises SpecError for one that no memory holds."""
    if max(resolution) > LARGEST_IMAGE_SIDE:
        message = f"{format_resolution(resolution)} is too large; use {LARGEST_IMAGE_SIDE:,} pixels a side or less"
        raise SpecError(Problem(message, "--resolution", code="too_large"))
    model = cast(Any, loaded.model)
    if isinstance(model, Backbone):
        model.set_input_size(resolution)
    elif resolution != loaded.resolution:
        _resize_timm(model, loaded, resolution)
    return replace(loaded, resolution=resolution)


def _resize_timm(model: Any, loaded: Trained, resolution: tuple[int, int]) -> None:
    """Tell a model that keeps to one image size of another, and see that it takes it."""
    config = timm.get_pretrained_cfg(loaded.name)
    try:
        if config is not None and config.fixed_input_size:
            model.set_input_size(resolution)
        with torch.no_grad():
            model(torch.zeros(1, loaded.in_channels, *resolution))
    except Exception as error:  # whatever its layers stumble over
        own, wanted = format_resolution(loaded.resolution), format_resolution(resolution)
        message = f"{loaded.name} doesn't run at {wanted}: {tell(error)}; it was trained at {own}"
        raise SpecError(Problem(message, "--resolution", code="resolution")) from error
