"""Carrying weights over into an edited network."""

from __future__ import annotations

import os
from collections.abc import Mapping

from torch import Tensor, nn

from ..errors import Problem, SpecError
from ..files import SpecLike, as_spec
from ..schema import ModelSpec
from ..transforms import Transfer, plan_transfer
from .load import Weights, as_state_dict, own_tensors, read_weights, types_of, with_values


def transfer_weights(
    model: nn.Module,
    other: nn.Module | Mapping[str, Tensor] | str | os.PathLike[str],
    *,
    other_spec: SpecLike | None = None,
    places: Mapping[str, str | None] | None = None,
) -> Transfer:
    """Load into a model whatever fits of another network's weights, and report what was carried, new, dropped and why.

    `other` is a model, a state dict, or the path of one (see `load_weights`). A tensor is carried if the other has one
    at the same module path, of the same shape, and that holds for the whole layer: weight, bias and statistics go
    together. Where both specs are known (`other_spec` gives that of a bare state dict), the block, stem, downsampling
    or head at that path must be of the same type too; runs are matched by name; and where one network has more stages,
    those alike in blocks and widths are matched up in order. Nothing is guessed: a stage widened or a block of another
    type is reported, a deeper run's last blocks are new, and the classifier is for another number of classes.

    `places` says otherwise: module path in the model → module path in the other, or None for what is to stay as it is,
    e.g. {"stages.2.blocks.1": None, "stages.2.blocks.2": "stages.2.blocks.1"} after a block was put in between.
    Raises SpecError, with nothing loaded, only for what is no model or no weights, and for places that aren't there.
    """
    own = own_tensors(model)
    weights = _read(other, other_spec)
    spec = getattr(model, "spec", None)
    report = plan_transfer(
        types_of(own),
        types_of(weights.tensors),
        own_spec=spec if isinstance(spec, ModelSpec) else None,
        other_spec=weights.spec,
        places=places,
    )
    loaded = {tensor.name: weights.tensors[tensor.counterpart] for tensor in report.carried if tensor.counterpart}
    model.load_state_dict(loaded, strict=False)
    return report


def _read(other: object, other_spec: SpecLike | None) -> Weights:
    given = None if other_spec is None else as_spec(other_spec)
    if isinstance(other, nn.Module):
        spec = getattr(other, "spec", None)
        return Weights(own_tensors(other, "other"), "other", given or (spec if isinstance(spec, ModelSpec) else None))
    if isinstance(other, Mapping):
        return Weights(with_values(as_state_dict(other, "other"), "other"), "other", given)
    if isinstance(other, str | os.PathLike):
        weights = read_weights(other)
        return weights if given is None else weights._replace(spec=given)
    raise SpecError(Problem(f"{type(other).__name__} is no model, state dict or path; give one of them", "other"))
