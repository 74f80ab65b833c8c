"""Loading a timm model's weights into the same network built from a spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from ..files import as_spec, builtin_specs, load
from ..schema import ModelSpec
from ..tensors import CLASSIFIER, TensorType, difference, misfit_error, tensor_types
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
        value = _taken(rule, given[source], type_of(tensor))
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
    types = {name: type_of(tensor) for name, tensor in own.items()}
    return _translate(types, state_dict, FAMILIES[_family(own, state_dict)])


def find_twins() -> dict[str, str]:
    """The built-in specs that are networks of timm's, under its names, and the family of each."""
    families = {family.lower(): family for family in FAMILIES}
    return {name: families[path.parent.name] for name, path in builtin_specs().items() if path.parent.name in families}


def recognise_timm_weights(
    state_dict: Mapping[str, Tensor], *others: ModelSpec
) -> tuple[ModelSpec, dict[str, Tensor]] | None:
    """The spec, of `others` or built in, that a timm model's state dict is of, and the tensors under its names.

    All but the head must be the spec's, tensor for tensor; it comes with the classes and image channels of the state
    dict. None for tensors of another network.
    """
    candidates = [(spec, family) for spec in others for family in FAMILIES]
    candidates += [(load(name), family) for name, family in find_twins().items()]
    for spec, family in candidates:
        types = tensor_types(spec)
        tensors = _translate(types, state_dict, FAMILIES[family])
        first = next(iter(types))  # the first convolution, whose images may be of other channels
        if (
            all(each in tensors for each in types if not each.startswith("head."))
            and all(tensors[each].shape == types[each].shape for each in types if each.startswith("stages."))
            and _count(tensors, ("head.",)) == _count(state_dict, HEADS[family])
        ):
            sizes = {"in_channels": (first, 1), "head.classes": (f"head.{CLASSIFIER}.weight", 0)}
            changes = {
                field: tensors[name].shape[axis]
                for field, (name, axis) in sizes.items()
                if name in tensors and tensors[name].ndim > axis
            }
            return as_spec(spec, set=changes), tensors
    return None


def _count(tensors: Mapping[str, Tensor], without: tuple[str, ...]) -> int:
    """The values of tensors whose names don't begin with some words."""
    return sum(tensor.numel() for name, tensor in tensors.items() if not name.startswith(without))


def _translate(
    types: Mapping[str, TensorType], state_dict: Mapping[str, Tensor], rules: Sequence[Rule]
) -> dict[str, Tensor]:
    found = {name: _source(name, rules) for name in types}
    return {
        name: _taken(rule, state_dict[source], types[name])
        for name, (rule, source) in found.items()
        if rule is not None and source in state_dict
    }


def _family(own: Mapping[str, Tensor], state_dict: Mapping[str, Tensor]) -> str:
    """The family whose rules know most of our names, and of those the one that has more of timm's."""

    def fit(family: str) -> tuple[int, int]:
        sources = [_source(name, FAMILIES[family])[1] for name in own]
        return sum(map(bool, sources)), len({*sources} & state_dict.keys())

    return max(FAMILIES, key=fit)


def _taken(rule: Rule, value: Tensor, like: TensorType) -> Tensor:
    """What a rule takes of timm's tensor; a linear layer's weight becomes that of a 1x1 convolution."""
    if rule.take is not None:
        try:
            value = rule.take(value)
        except (IndexError, RuntimeError):
            return value  # too small to take a part of: it is told as of another shape
    fits = value.numel() == like.size and value.shape == like.shape[: value.ndim]
    return value.reshape(like.shape) if fits else value


def _source(name: str, rules: Sequence[Rule]) -> tuple[Rule | None, str]:
    for rule in rules:
        source = rule.apply(name)
        if source is not None:
            return rule, source
    return None, ""
