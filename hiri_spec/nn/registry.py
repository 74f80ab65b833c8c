"""Specs as models of timm's: under which names, and what timm is told of them.

timm finds no packages by itself (1.0.31 has no entry points to declare), so registering happens on import of
`hiri_spec.timm_models`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace as replaced
from typing import Any

from timm.models import PretrainedCfg, generate_default_cfgs, get_arch_pretrained_cfgs, is_model, register_model
from torch import nn

from ..differences import compare
from ..errors import Problem, SpecError, show
from ..files import SpecLike, as_spec, builtin_specs, load
from ..schema import ModelSpec
from .pretrained_cfg import describe
from .timm_factory import create_model
from .timm_weights import find_twins

PREFIX = "spec_"
"""Stands before the name of a built-in spec whose own name is a model of timm's."""

_specs: dict[str, ModelSpec] = {}
_functions: dict[str, Callable[..., nn.Module]] = {}


def add_model(spec: SpecLike, name: str | None = None, *, home: str, replace: bool = False) -> str:
    """Make a spec a model of timm's, and return the name of it: the given one or the spec's own.

    `home` is the module that timm is told it comes from. Raises SpecError for a wrong spec and for a name that is taken
    by another model; `replace` allows that if it is one of ours.
    """
    spec = as_spec(spec)
    name = _usable_name(spec.name if name is None else name)
    taken = _specs.get(name)
    if taken is None and is_model(name):
        free = next((each for each in (PREFIX + name, f"my_{name}") if not is_model(each)), "…")
        message = f"timm has a model of this name; register with name={free!r}, or any other that is free"
        raise SpecError(Problem(message, name, code="name_taken"))
    changes = [] if taken is None else compare(taken, spec)
    if taken is not None and not changes:
        return name
    if changes and not replace:
        first = f"{changes[0].path}: {show(changes[0].before)} there, {show(changes[0].after)} here"
        more = f", and {len(changes) - 1} more" if changes[1:] else ""
        message = f"another spec is registered as this ({first}{more}); give a name=… of its own, or replace=True"
        raise SpecError(Problem(message, name, code="name_taken"))
    _add(name, spec, {name: describe(spec)}, home)
    return name


def add_builtin_specs(home: str) -> None:
    """Make all built-in specs models of timm's, those whose name timm has itself under the name with `spec_` before.

    The latter are the same networks as timm's, and load the weights published for them.
    """
    twins = find_twins()
    for name in builtin_specs():
        spec = load(name)
        if name in _specs or not is_model(name):
            add_model(spec, home=home)
        elif PREFIX + name not in _specs:
            own = describe(spec)
            cfgs = _published(name, own) if name in twins else {}
            _add(PREFIX + name, spec, cfgs or {PREFIX + name: own}, home, twin=name if name in twins else None)


def entry_point(name: str) -> Callable[..., nn.Module]:
    """What timm calls for a name; raises KeyError for those that are not ours."""
    return _functions[name]


def _published(name: str, own: PretrainedCfg) -> dict[str, PretrainedCfg]:
    """timm's configurations of its own model, one a set of weights, with what is ours in them."""
    changes = {key: getattr(own, key) for key in ("first_conv", "classifier", "fixed_input_size")}
    return {PREFIX + tagged: replaced(cfg, **changes) for tagged, cfg in get_arch_pretrained_cfgs(name).items()}


def _usable_name(name: str) -> str:
    if not isinstance(name, str) or not name or not all(letter.isalnum() or letter in "_-" for letter in name):
        advice = "use letters, digits, - and _; timm reads what follows a dot as the tag of a set of weights"
        raise SpecError(Problem(f"{show(name)} can't be the name of a model in timm; {advice}", "name"))
    return name


def _add(name: str, spec: ModelSpec, cfgs: Mapping[str, PretrainedCfg], home: str, *, twin: str | None = None) -> None:
    def create(pretrained: bool = False, **options: Any) -> nn.Module:
        return create_model(name, spec, pretrained, options, twin=twin)

    create.__name__ = create.__qualname__ = name
    create.__module__ = home
    create.__doc__ = spec.description
    _specs[name], _functions[name] = spec, create
    vars(sys.modules[home]).setdefault("default_cfgs", {}).update(generate_default_cfgs(dict(cfgs)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Overwriting .* in registry", UserWarning)  # asked for with `replace`
        register_model(create)
