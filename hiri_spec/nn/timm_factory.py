"""A spec built with `timm.create_model`'s arguments: values of the spec, weights, maps instead of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, cast

import torch
from timm.models import build_model_with_cfg, model_entrypoint, resolve_pretrained_cfg
from torch import Tensor, nn

from ..errors import Problem, SpecError, show, suggest
from ..schema import ModelSpec
from .backbone import Backbone, read_feature_info, take_indices
from .compile import build, override
from .pretrained_cfg import describe
from .timm_weights import read_timm_weights

PLACES = {
    "num_classes": "head.classes",
    "in_chans": "in_channels",
    "img_size": "resolution",
    "drop_rate": "head.drop_rate",
    "drop_path_rate": "drop_path_rate",
}
"""Arguments of timm's that are values of a spec, and where those are."""
ARGUMENTS = (*PLACES, "global_pool", "features_only", "out_indices", "feature_cls", "device", "dtype")
PLUMBING = ("pretrained_cfg", "pretrained_cfg_overlay", "pretrained_strict", "pretrained_model_args", "cache_dir")
"""What timm's factory hands through the model's function to its own builder."""
WRAPPERS = ("dict", "fx", "getter", "hook", "list")
"""timm's own words for its classes that give features."""


def create_model(
    name: str, spec: ModelSpec, pretrained: bool, options: Mapping[str, Any], *, twin: str | None = None
) -> nn.Module:
    """Build a spec registered as `name`: a Backbone, or timm's wrapper of one if given a `feature_cls`.

    `twin` is the model of timm's, if any, that is the same network and whose weights can be loaded. Raises SpecError
    for arguments that are not known or don't fit, and where there are no weights to load.
    """
    options = {key: value for key, value in options.items() if value is not None}
    for argument in options:
        if argument not in (*ARGUMENTS, *PLUMBING):
            raise SpecError(Problem(f"{name} takes no such argument; {suggest(argument, ARGUMENTS)}", argument))
    cfg = resolve_pretrained_cfg(name, options.pop("pretrained_cfg", None), options.pop("pretrained_cfg_overlay", None))
    if pretrained and not (cfg.has_weights or cfg.state_dict):
        advice = "use pretrained=False, and checkpoint_path=… or pretrained_cfg_overlay=dict(file=…) for your own"
        raise SpecError(Problem(f"no weights of {name} are published; {advice}", "pretrained", code="no_weights"))
    if "img_size" in options:
        spec = override(spec, "img_size", PLACES["img_size"], options["img_size"])
        cfg = replace(cfg, input_size=(cfg.input_size[0], *spec.size), pool_size=describe(spec).pool_size)
    maps_only = bool(options.pop("features_only", False))
    make = partial(_build, spec)
    if maps_only:
        taken = take_indices(len(read_feature_info(spec)), options.pop("out_indices", None))
        if "feature_cls" in options:
            _check_wrapper(spec, options["feature_cls"])
            options |= {"features_only": True, "out_indices": taken, "feature_cfg": {"flatten_sequential": True}}
        else:
            make = partial(make, taken)
    elif unfit := [key for key in ("out_indices", "feature_cls") if key in options]:
        raise SpecError(Problem("only a model created with features_only=True has it", unfit[0]))
    read = partial(_read_weights, twin=twin, classes=cfg.num_classes)
    options |= {"pretrained_cfg": cfg, "pretrained_filter_fn": read}
    model: nn.Module = build_model_with_cfg(make, name, pretrained, **options)
    if maps_only:
        for key in ("num_classes", "classifier"):
            cast(dict[str, Any], model.pretrained_cfg).pop(key, None)
    return model


def _build(
    spec: ModelSpec,
    out_indices: Sequence[int] | None = None,
    *,
    num_classes: int,
    global_pool: str = "avg",
    device: Any = None,
    dtype: torch.dtype | None = None,
    **values: Any,
) -> Backbone:
    """What timm's builder calls with the arguments that it leaves."""
    if num_classes:
        values["num_classes"] = num_classes
    for argument, value in values.items():
        spec = override(spec, argument, PLACES[argument], value)
    with nullcontext() if device is None else torch.device(device):
        model = build(spec, classes=num_classes, features_only=out_indices is not None, out_indices=out_indices)
    if out_indices is None and global_pool != model.global_pool:
        model.reset_classifier(model.num_classes, global_pool)
    return model if dtype is None else model.to(dtype)


def _check_wrapper(spec: ModelSpec, wrapper: Any) -> None:
    """Refuse a `feature_cls` that timm does not have, or that can't give several streams."""
    is_word = isinstance(wrapper, str) and wrapper.lower() in WRAPPERS
    if not is_word and not (isinstance(wrapper, type) and issubclass(wrapper, nn.Module)):
        raise SpecError(
            Problem(f"{show(wrapper)} is no feature class; {suggest(str(wrapper), WRAPPERS)}", "feature_cls")
        )
    info = read_feature_info(spec)
    is_getter = "getter" in str(getattr(wrapper, "__name__", wrapper)).lower()
    if len({each["module"] for each in info}) < len(info) and not is_getter:
        message = f"{show(wrapper)} takes one map from each module, not several streams; use 'getter' or leave it out"
        raise SpecError(Problem(message, "feature_cls"))


def _read_weights(
    state_dict: dict[str, Tensor], model: nn.Module, *, twin: str | None, classes: int
) -> dict[str, Tensor]:
    """What to load of the weights that timm found, under our names; nothing for a head where there is none."""
    own = model.state_dict()
    if twin is not None and not own.keys() <= state_dict.keys():
        # timm's model takes them first: published files have its names of some earlier version, and only it knows those
        found = {"state_dict": state_dict, "num_classes": classes}
        theirs = model_entrypoint(twin)(pretrained=True, pretrained_cfg_overlay=found)
        state_dict = read_timm_weights(own, theirs.state_dict())
    has_head = "head" in dict(model.named_children())
    return {name: tensor for name, tensor in state_dict.items() if has_head or name in own}
