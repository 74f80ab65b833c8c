"""Weights from files into models: safetensors, or a torch state dict; all of them or none."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..checkpoint_file import find_weights, read_checkpoint
from ..differences import as_text, compare_weights
from ..errors import Problem, SpecError, show
from ..schema import ModelSpec
from ..tensors import CLASSIFIER, TensorType, find_misfits, misfit_error

NESTS = ("state_dict", "model", "model_state_dict")
"""Under what training scripts keep the state dict in a checkpoint."""
PREFIXES = ("module.", "_orig_mod.")
"""What DistributedDataParallel and torch.compile put before every name."""


class Weights(NamedTuple):
    """Tensors by name, where they are from, and the spec of their network where it is known."""

    tensors: Mapping[str, Tensor]
    origin: str
    spec: ModelSpec | None


def load_weights(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Load a safetensors file, a folder with one, or a torch state dict (.pt, .pth) into a model; all or nothing.

    The tensors must be the model's, name for name and shape for shape; their values are converted to the model's
    type of numbers. A spec inside the file must be the model's, but for what no weight depends on: name, description,
    resolution, drop rates, the value that layer scales begin at. A state dict may lie under "state_dict" or "model",
    and under the prefixes of DistributedDataParallel and torch.compile. Raises SpecError that lists every difference,
    with nothing loaded.
    """
    if not isinstance(path, str | os.PathLike):
        message = f"{type(path).__name__} is no path; a state dict is loaded with model.load_state_dict"
        raise SpecError(Problem(message, "path"))
    own = own_tensors(model)
    weights = read_weights(path)
    spec = getattr(model, "spec", None)
    if weights.spec is not None and isinstance(spec, ModelSpec):
        _check_spec(weights.spec, spec, own, weights.origin)
    misfits = find_misfits(types_of(own), types_of(weights.tensors), there="the file")
    if misfits:
        advice = "nothing was loaded; hiri_spec.transfer_weights(model, path) carries over what fits"
        raise misfit_error(misfits, advice, file=weights.origin)
    model.load_state_dict(weights.tensors)


def _check_spec(theirs: ModelSpec, own: ModelSpec, tensors: Mapping[str, Tensor], origin: str) -> None:
    has_classifier = any(name.startswith(f"head.{CLASSIFIER}.") for name in tensors)
    changes = compare_weights(theirs, own, with_classes=has_classifier)
    if not changes:
        return
    code = "other_spec"
    problems = [
        Problem(f"{as_text(change.before)} in the file, {as_text(change.after)} in the model", change.path, code=code)
        for change in changes
    ]
    advice = (
        f"the spec inside, {theirs.name}, is another than the model's; nothing was loaded. "
        "hiri_spec.from_pretrained(path) builds the model of the file, "
        "hiri_spec.transfer_weights(model, path) carries over what fits"
    )
    raise SpecError([*problems, Problem(advice, file=origin, code=code)])


def own_tensors(model: nn.Module, argument: str = "model") -> dict[str, Tensor]:
    """The state dict of a model that has values; raises SpecError for anything else."""
    if not isinstance(model, nn.Module):
        raise SpecError(Problem(f"{show(model)} is no model; build one with hiri_spec.build", argument))
    return with_values(model.state_dict(), argument)


def with_values(tensors: dict[str, Tensor], argument: str) -> dict[str, Tensor]:
    """The same tensors; raises SpecError for those of the meta device, which have no values."""
    if any(tensor.is_meta for tensor in tensors.values()):
        raise SpecError(Problem("is on the meta device, without any values; use a real one", argument))
    return tensors


def type_of(tensor: Tensor) -> TensorType:
    """What has to agree for a tensor to be loaded into another."""
    return TensorType(tuple(tensor.shape), tensor.is_floating_point())


def types_of(tensors: Mapping[str, Tensor]) -> dict[str, TensorType]:
    """The type of each tensor by name."""
    return {name: type_of(tensor) for name, tensor in tensors.items()}


def read_weights(path: str | os.PathLike[str]) -> Weights:
    """Read a safetensors file, a folder with one, or a torch state dict; raises SpecError for anything else."""
    place = find_weights(path)
    if place.suffix != ".safetensors":
        return Weights(_read_torch(place), str(place), None)
    checkpoint = read_checkpoint(place)
    try:
        return Weights(load_file(place), checkpoint.file, checkpoint.spec)
    except (SafetensorError, OSError) as error:
        raise SpecError(Problem(f"cannot be read: {error}", file=checkpoint.file, code="unreadable")) from None


def _read_torch(place: FilePath) -> dict[str, Tensor]:
    """A torch file's state dict. Nothing but plain data is unpickled."""
    try:
        loaded = torch.load(place, map_location="cpu", weights_only=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError(Problem(f"cannot be read: {reason}", file=str(place), code="unreadable")) from None
    except pickle.UnpicklingError as error:
        message = (
            "is no torch file of plain tensors, or holds objects that would have to be run; "
            "save model.state_dict() and nothing else"
        )
        raise SpecError(Problem(message, file=str(place), code="unreadable")) from error
    except Exception as error:
        # whatever bytes make torch's readers stumble over: RuntimeError, EOFError, KeyError, …
        message = f"is neither a safetensors file nor a torch state dict, or is cut short ({type(error).__name__})"
        raise SpecError(Problem(message, file=str(place), code="unreadable")) from error
    return as_state_dict(loaded, str(place))


def as_state_dict(loaded: object, origin: str) -> dict[str, Tensor]:
    """The tensors of a state dict, taken out of what training scripts wrap around it; raises SpecError if none is."""
    for nest in NESTS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(nest), Mapping):
            loaded = loaded[nest]
            break
    if not isinstance(loaded, Mapping):
        raise SpecError(Problem(f"{type(loaded).__name__} is no state dict; save model.state_dict()", file=origin))
    others = [str(name) for name, value in loaded.items() if not isinstance(value, Tensor)]
    if others or not loaded:
        found = f"not only tensors but {', '.join(others[:5])}" if others else "nothing"
        message = f"is no state dict: there is {found} in it; put the tensors under one of {', '.join(NESTS)}"
        raise SpecError(Problem(message, file=origin))
    tensors = {str(name): value for name, value in loaded.items()}
    while prefix := next((each for each in PREFIXES if all(name.startswith(each) for name in tensors)), None):
        tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors
