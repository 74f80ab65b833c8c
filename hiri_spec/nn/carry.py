"""Loading the weights that a scaled network keeps from its original."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ..errors import Problem, SpecError
from ..transforms import Carried, Scaled, find_carried


def carry_weights(model: nn.Module, scaled: Scaled, state_dict: Mapping[str, Tensor]) -> Carried:
    """Load what the rules left alone from the original's state dict into the model of `scaled.spec`.

    Returns what was carried over and what is new. Raises SpecError, with nothing loaded, where the state dict lacks a
    tensor or has one of another shape.
    """
    carried = find_carried(scaled)
    own = model.state_dict()
    loaded: dict[str, Tensor] = {}
    problems: list[Problem] = []
    for name, tensor in own.items():
        place, _, what = name.rpartition(".")
        if place not in carried.places:
            continue
        source = f"{carried.places[place]}.{what}"
        value = state_dict.get(source)
        if value is None:
            problems.append(Problem(f"missing from the state dict: {source}", name, code="state_dict"))
        elif value.shape != tensor.shape:
            message = f"of another shape: {tuple(tensor.shape)} here, {tuple(value.shape)} there"
            problems.append(Problem(message, name, code="state_dict"))
        else:
            loaded[name] = value
    if problems:
        advice = f"give the state dict of a model of {scaled.original.name}; nothing was loaded"
        raise SpecError([*problems, Problem(advice, "state_dict", code="state_dict")])
    model.load_state_dict(own | loaded)
    return carried
