"""Loading a timm model's weights into the same network built from a spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from ..tensors import difference, misfit_error
from .load import as_state_dict, type_of, with_values
from .timm_keys import FAMILIES, HEADS, Rule


def load_timm_weights(model: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Load a timm model's state dict (PVTv2, Swin, DaViT, HRNet) into the same network built from a spec.

    A model built with `features_only` takes no head. All or nothing: raises SpecError that lists, in groups, the
    tensors that are missing, left over or of another shape, and changes nothing then.
    """
    own = model.state_dict()
    given = with_values(as_state_dict(state_dict, "state_dict"), "state_dict")
    family = _family(own, given)
    used: set[str] = set()
    loaded: dict[str, Tensor] = {}
    missing: dict[str, str] = {}
    misshapen: dict[str, str] = {}
    for name, tensor in own.items():
        rule, source = _source(name, FAMILIES[family])
        if rule is None or source not in given:
            missing[name] = "missing from the state dict: " + (f"timm's {source}" if rule else "no family has it")
            continue
        used.add(source)
        value = _taken(rule, given[source], tensor)
        if value.shape == tensor.shape:
            loaded[name] = value
        else:
            whole = f", taken from timm's {source} of {tuple(given[source].shape)}"
            misshapen[name] = difference(type_of(tensor), type_of(value)) + whole
    left = given.keys() - used
    if not any(name.startswith("head.") for name in own):
        left = {name for name in left if not name.startswith(HEADS[family])}
    extra = dict.fromkeys(sorted(left), "not in the model: remove it")
    misfits = missing | misshapen | extra
    if misfits:
        advice = f"read as {family}; build the spec of the same name as timm's model, with as many classes"
        raise misfit_error(misfits, f"{advice}; nothing was loaded")
    model.load_state_dict(loaded)


def read_timm_weights(own: Mapping[str, Tensor], state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A timm model's tensors under our names, those that there are; of another shape where they don't fit."""
    rules = FAMILIES[_family(own, state_dict)]
    found = {name: _source(name, rules) for name in own}
    return {
        name: _taken(rule, state_dict[source], own[name])
        for name, (rule, source) in found.items()
        if rule is not None and source in state_dict
    }


def _family(own: Mapping[str, Tensor], state_dict: Mapping[str, Tensor]) -> str:
    """The family whose rules know most of our names, and of those the one that has more of timm's."""

    def fit(family: str) -> tuple[int, int]:
        sources = [_source(name, FAMILIES[family])[1] for name in own]
        return sum(map(bool, sources)), len({*sources} & state_dict.keys())

    return max(FAMILIES, key=fit)


def _taken(rule: Rule, value: Tensor, like: Tensor) -> Tensor:
    """What a rule takes of timm's tensor; a linear layer's weight becomes that of a 1x1 convolution."""
    if rule.take is not None:
        try:
            value = rule.take(value)
        except (IndexError, RuntimeError):
            return value  # too small to take a part of: it is told as of another shape
    fits = value.numel() == like.numel() and value.shape == like.shape[: value.ndim]
    return value.reshape(like.shape) if fits else value


def _source(name: str, rules: Sequence[Rule]) -> tuple[Rule | None, str]:
    for rule in rules:
        source = rule.apply(name)
        if source is not None:
            return rule, source
    return None, ""
