"""Models to folders and back: safetensors with the spec inside, so that one file is enough to build the model anew."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from .. import __version__
from ..checkpoint_file import SPEC_NAME, WEIGHTS_NAME, BuildOptions, metadata_of, read_checkpoint
from ..errors import Problem, SpecError, show
from ..saving import replacing, to_yaml
from ..tensors import CLASSIFIER, find_misfits, misfit_error
from .compile import build
from .hub import locate
from .load import own_tensors, read_weights, types_of

if TYPE_CHECKING:
    from .backbone import Backbone


def save_pretrained(
    model: Backbone, folder: str | os.PathLike[str], *, metadata: Mapping[str, str] | None = None
) -> None:
    """Write model.safetensors, with the spec inside, and spec.yaml, its readable copy, into a folder; whole or not.

    The folder is made if need be. `metadata` goes into the header too. Raises SpecError where it can't be written, or
    where the model's tensors are no longer those of its spec.
    """
    if model.out_indices is None and "head" not in dict(model.named_children()):
        message = "is pruned, and no spec builds that; build with features_only and out_indices, and load its weights"
        raise SpecError(Problem(f"the model {message}", "model"))
    options = read_options(model)
    tensors = own_tensors(model)
    misfits = find_misfits(options.tensor_types(model.spec), types_of(tensors), there="the model")
    if misfits:
        advice = (
            "'here' is the spec, 'there' the model, whose tensors it no longer describes (fused, or changed by hand?); "
            "save the unchanged model, or keep model.state_dict()"
        )
        raise misfit_error(misfits, advice)
    if not isinstance(folder, str | os.PathLike):
        raise SpecError(Problem(f"{show(folder)} is no path of a folder; give one", "folder"))
    place = FilePath(folder)
    with _made(place), replacing(place / SPEC_NAME) as readable:
        readable.write_bytes(to_yaml(model.spec).encode())
        with replacing(place / WEIGHTS_NAME) as weights:
            _write_tensors(tensors, weights, {**(metadata or {}), **metadata_of(model.spec, options, __version__)})


def write_weights(model: nn.Module, folder: FilePath, metadata: Mapping[str, str]) -> None:
    """Write any module's state as model.safetensors into a folder, with a header of one's own; whole or not.

    The folder is made if need be. Raises SpecError where it can't be written.
    """
    with _made(folder), replacing(folder / WEIGHTS_NAME) as weights:
        _write_tensors(model.state_dict(), weights, {"format": "pt", **metadata})


def read_options(model: Backbone) -> BuildOptions:
    """What to ask `build` for, beside the model's spec, to get its like."""
    if model.out_indices is not None:
        return BuildOptions(features_only=True, out_indices=tuple(model.out_indices))
    classes = None if model.num_classes else 0
    return BuildOptions.model_validate({"classes": classes, "global_pool": model.global_pool})


@contextmanager
def _made(folder: FilePath) -> Iterator[None]:
    """A folder that is there inside the `with`; what was made of it is gone again if that fails."""
    try:
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"can't be made a folder: {reason}; choose another place"
        raise SpecError(Problem(message, file=str(folder), code="unwritable")) from None
    try:
        yield
    except BaseException:
        for place in missing:
            with suppress(OSError):  # not empty: something else was put there meanwhile
                place.rmdir()
        raise


def _write_tensors(tensors: Mapping[str, Tensor], path: FilePath, metadata: dict[str, str]) -> None:
    """Write a safetensors file whose bytes depend on what is in it alone; raises OSError where it can't be written.

    safetensors writes the entries of the metadata in another order each time.
    """
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(stored, path, metadata=metadata)
    except SafetensorError as error:
        raise OSError(str(error)) from error
    with path.open("r+b") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
        if len(text) <= length:  # as it always is: the very text in another order, and spaces up to a multiple of 8
            stream.seek(8)
            stream.write(text.ljust(length))


def from_pretrained(
    source: str | os.PathLike[str],
    *,
    classes: int | None = None,
    drop_path_rate: float | None = None,
    features_only: bool | None = None,
    out_indices: Sequence[int] | None = None,
    revision: str | None = None,
) -> Backbone:
    """Build the model of a folder, a safetensors file or a hub repository (owner/name) that `save_pretrained` wrote.

    What is not given is as it was saved, the type of numbers included; the model comes in eval mode. Another number of
    `classes` leaves the classifier new, 0 leaves it out; `features_only` leaves out the head, and the head is new where
    it was saved without and is asked for. Everything else is loaded. A folder that is there is read, and the network
    left alone; `revision` is a branch, tag or commit of the hub repository. Raises SpecError where nothing is found,
    no spec is inside, or the tensors are not those of the spec.
    """
    place = locate(source, revision)
    checkpoint = read_checkpoint(place)
    spec, saved = checkpoint.check(), checkpoint.options
    features = saved.features_only if features_only is None else features_only
    if features and saved.features_only and out_indices is None:
        out_indices = saved.out_indices
    asked = saved.classes if classes is None and not features else classes
    # no limits: the file holds every parameter that is built
    model = build(
        spec,
        classes=asked,
        drop_path_rate=drop_path_rate,
        features_only=features,
        out_indices=out_indices,
        max_params=float("inf"),
        max_macs=float("inf"),
        max_operations=float("inf"),
    )
    if not features and saved.global_pool != model.global_pool:
        model.reset_classifier(model.num_classes, saved.global_pool)
    is_classifier_new = classes is not None and classes != spec.head.classes
    own = own_tensors(model)
    # copies: what safetensors gives are views of the file, which may be overwritten
    loaded = {
        name: tensor.to(own[name].device, copy=True)
        for name, tensor in read_weights(checkpoint.file).tensors.items()
        if name in own and not (is_classifier_new and name.startswith(f"head.{CLASSIFIER}."))
    }
    dtypes = {tensor.dtype for tensor in loaded.values() if tensor.is_floating_point()}
    if len(dtypes) == 1:
        model.to(dtypes.pop())  # for what is new
    model.load_state_dict(loaded, strict=False, assign=True)
    return model.eval()
