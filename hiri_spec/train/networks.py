"""The networks to train, specs and timm's models, and their weights in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import timm
from safetensors import safe_open
from torch import nn

from ..checkpoint_file import find_weights
from ..errors import Problem, SpecError
from ..files import as_spec
from ..network import read_resolution
from ..nn.backbone import Backbone
from ..nn.bench.models import read_timm_subject
from ..nn.checkpoint import save_pretrained, write_weights
from ..nn.compile import build
from ..nn.load import read_weights
from ..nn.named import read_named
from ..nn.timm_weights import recognise_timm_weights
from ..nn.transfer import transfer_weights
from ..quantities import parse_resolutions
from ..schema import ModelSpec
from ..transforms import Transfer
from .belongings import Belongings
from .recipe import Recipe
from .run_folder import find_run_weights

MODEL_KEY, CLASSES_KEY, CHANNELS_KEY, SIZE_KEY = "timm.model", "timm.num_classes", "timm.in_chans", "timm.img_size"
"""What the header of a weights file says of timm's models."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network to train: one of our specs, as it is trained, or a name of timm's.

    `belongings` go with its weights.
    """

    origin: ModelSpec | str
    resolution: tuple[int, int]
    in_channels: int
    classes: int
    drop_path_rate: float | None
    belongings: Belongings | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.origin if isinstance(self.origin, str) else self.origin.name

    @property
    def spec(self) -> ModelSpec | None:
        """Its spec, unless it is timm's."""
        return None if isinstance(self.origin, str) else self.origin

    def build(self) -> nn.Module:
        """The module with fresh weights from torch's random numbers; raises SpecError if timm refuses."""
        if not isinstance(self.origin, str):
            return build(self.origin)
        config = timm.get_pretrained_cfg(self.origin)
        is_fixed = config is not None and config.fixed_input_size
        options: dict[str, Any] = {"img_size": self.resolution} if is_fixed else {}
        try:
            model: nn.Module = timm.create_model(
                self.origin,
                num_classes=self.classes,
                in_chans=self.in_channels,
                drop_path_rate=self.drop_path_rate,
                **options,
            )
        except TypeError as error:
            raise SpecError(Problem(f"timm's {self.origin} refuses: {error}", "drop_path_rate")) from error
        return model


def read_network(
    name: str, recipe: Recipe, tell: Callable[[str], None], *, set: Mapping[str, Any] | None = None
) -> tuple[ModelSpec | str, tuple[int, int], int]:
    """What a name stands for, the image size to train it at, and the channels of its images.

    A spec comes as it is trained: at the recipe's image size and drop path rate, where those are given. Raises
    SpecError for a name that nothing has, a wrong spec, and a size that the network refuses.
    """
    named = read_named(name, set=set)
    if named.note is not None:
        tell(named.note)
    if isinstance(named.origin, str):
        subject = read_timm_subject(named.origin, recipe.resolution)
        return named.origin, subject.resolution, subject.channels
    changes = {"resolution": recipe.resolution, "drop_path_rate": recipe.drop_path_rate}
    spec = as_spec(named.origin, set={place: value for place, value in changes.items() if value is not None})
    return spec, read_resolution(spec, None), spec.in_channels


def fit_classes(
    origin: ModelSpec | str,
    resolution: tuple[int, int],
    in_channels: int,
    recipe: Recipe,
    class_names: tuple[str, ...],
    data: str,
    tell: Callable[[str], None],
) -> Network:
    """The network for the classes of the data; timm's get as many as there are.

    A spec has its own number: raises SpecError if that is too small, and tells if it is larger than need be.
    """
    count = len(class_names)
    belongings = Belongings(class_names=class_names, augmentation=recipe.augmentation)
    if isinstance(origin, str):
        return Network(origin, resolution, in_channels, count, recipe.drop_path_rate, belongings)
    own = origin.head.classes
    if own < count:
        message = f"{own} are too few for {data}, which has {count}; add --set head.classes={count}"
        raise SpecError(Problem(message, "head.classes", code="too_few_classes"))
    if own > count:
        tell(f"the head has {own} classes and {data} only {count}; --set head.classes={count} leaves the others out")
    return Network(origin, resolution, in_channels, own, origin.drop_path_rate, belongings)


def save_weights(model: nn.Module, network: Network, folder: Path) -> None:
    """Write a network's weights into a folder, with the spec inside, or of timm's models with their name.

    What belongs to the network is inside too. Raises SpecError where they can't be written.
    """
    belongings = network.belongings.metadata() if network.belongings is not None else {}
    if isinstance(model, Backbone):
        save_pretrained(model, folder, metadata=belongings)
        return
    own = {
        MODEL_KEY: network.name,
        CLASSES_KEY: str(network.classes),
        CHANNELS_KEY: str(network.in_channels),
        SIZE_KEY: "x".join(map(str, network.resolution)),
    }
    write_weights(model, folder, {**belongings, **own})


def read_timm_network(place: Path) -> Network | None:
    """Which of timm's models a weights file holds, if `save_weights` wrote it; raises SpecError if none of today's."""
    with safe_open(place, "pt") as file:
        metadata = file.metadata() or {}
    if MODEL_KEY not in metadata:
        return None
    name = metadata[MODEL_KEY]
    if not timm.is_model(name):
        message = f"holds timm's {name}, which this timm, {timm.__version__}, hasn't got; use the one it was made with"
        raise SpecError(Problem(message, file=str(place), code="no_model"))
    try:
        (size,) = parse_resolutions(metadata[SIZE_KEY])
        return Network(name, size, int(metadata[CHANNELS_KEY]), int(metadata[CLASSES_KEY]), None)
    except (KeyError, ValueError) as error:  # a SpecError is one
        message = f"its header says {name} but not of what size, channels and classes; save it anew"
        raise SpecError(Problem(message, file=str(place), code="unreadable")) from error


def find_start(source: str) -> Path:
    """The weights file that a run is to begin with: it, its folder's or a run's; raises SpecError if there is none."""
    return find_weights(find_run_weights(Path(source)) or source)


def start_from(model: nn.Module, source: str) -> tuple[Path, Transfer]:
    """Load what fits of a weights file, its folder or a run's folder; returns the file and what was carried.

    A spec's network takes timm's tensors too, where they are of this very network or one that a built-in spec is.
    Raises SpecError where there are no weights, or where nothing of them fits.
    """
    place = find_start(source)
    weights = read_weights(place)
    spec, tensors = weights.spec, weights.tensors
    if spec is None and isinstance(model, Backbone):
        spec, tensors = recognise_timm_weights(tensors, model.spec) or (None, tensors)
    report = transfer_weights(model, tensors, other_spec=spec)
    if not report.carried:
        message = "nothing in it fits this network; leave it out, or give weights of a network that is like it"
        if weights.spec is None and isinstance(model, Backbone):
            message += (
                ". If they are timm's, of a model that no built-in spec is: load them into the spec that this one was "
                "made of by hiri_spec.load_timm_weights, write that by save_pretrained(folder), and give the folder"
            )
        raise SpecError(Problem(message, "--init-from", file=str(place), code="nothing_carried"))
    return place, report


def set_checkpointing(model: nn.Module) -> None:
    """Have a network keep less and compute more: `--checkpoint-grad`; raises SpecError if it can't."""
    try:
        cast(Any, model).set_grad_checkpointing(True)
    except (AttributeError, AssertionError, NotImplementedError) as error:
        message = f"this network has no gradient checkpointing ({error}); leave it out"
        raise SpecError(Problem(message, "--checkpoint-grad")) from error
