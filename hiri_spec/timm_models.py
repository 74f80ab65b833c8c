"""Importing this module makes every built-in spec a model of timm's: `timm.create_model("hiri_s", num_classes=10)`.

A spec named like a model that timm has itself, such as pvt_v2_b2, is registered as spec_pvt_v2_b2: timm's own stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .files import SpecLike
from .nn.registry import add_builtin_specs, add_model, entry_point

__all__ = ["register"]


def register(spec: SpecLike, name: str | None = None, *, replace: bool = False) -> str:
    """Make a spec (a path, a built-in name, a dict or a ModelSpec) a model of timm's and return its name there.

    That is `name`, or else the spec's own. The same spec may be registered again; `replace` puts another in the place
    of one that was registered here. Raises SpecError for a wrong spec and for a name that is taken.
    """
    return add_model(spec, name, home=__name__, replace=replace)


def __getattr__(name: str) -> Callable[..., Any]:
    """timm's habit: a module has a function for each of its models."""
    try:
        return entry_point(name)
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


add_builtin_specs(__name__)
