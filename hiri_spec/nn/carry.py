"""Loading the weights that a scaled network keeps from its original."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ..tensors import difference, misfit_error
from ..transforms import Carried, Scaled, find_carried
from .load import type_of


def carry_weights(model: nn.Module, scaled: Scaled, state_dict: Mapping[str, Tensor]) -> Carried:
    """Load what the rules left alone from the original's state dict into the model of `scaled.spec`.

    Returns what was carried over and what is new. Raises SpecError, with nothing loaded, where the state dict lacks a
    tensor or has one of another shape.
    """
    carried = find_carried(scaled)
    loaded: dict[str, Tensor] = {}
    misfits: dict[str, str] = {}
    for name, tensor in model.state_dict().items():
        place, _, what = name.rpartition(".")
        if place not in carried.places:
            continue
        source = f"{carried.places[place]}.{what}"
        value = state_dict.get(source)
        if value is None:
            misfits[name] = f"missing from the state dict: {source}"
        elif unlike := difference(type_of(tensor), type_of(value)):
            misfits[name] = unlike
        else:
            loaded[name] = value
    if misfits:
        raise misfit_error(misfits, f"give the state dict of a model of {scaled.original.name}; nothing was loaded")
    model.load_state_dict(loaded, strict=False)
    return carried
