"""The public door: a spec under a head, as a torch module."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from ..errors import Problem, SpecError
from ..files import SpecLike, as_spec
from ..nn.named import read_named
from ..schema import ModelSpec
from .heads import HOSTS, MODULES
from .maps import Maps, make_maps
from .model import DenseModel
from .task import Norms, Task, default_norms, read_task
from .weights import begin_with


def detector(
    spec: SpecLike,
    head: str = "mask_rcnn",
    classes: int = 80,
    *,
    host: str | None = None,
    strides: Sequence[int] | None = None,
    norms: Norms | None = None,
    regions: int | None = None,
    drop_path_rate: float | None = None,
    weights: str | os.PathLike[str] | None = None,
) -> DenseModel:
    """A spec (a path, a built-in name, a dict, a ModelSpec) or one of timm's models by name under a head.

    Weights are fresh but for the `weights` that are given: a run's folder, a weights file of ours or of timm's for the
    backbone, or those of a whole detector; what fits of them is carried, and told by `model.transfer`. See `Task` for
    the rest. Raises SpecError for whatever is wrong, and where the head's host is not installed.
    """
    wanted = None if strides is None else list(strides)
    own_norms = norms or default_norms(weights)
    values = {"head": head, "host": host, "classes": classes, "strides": wanted, "norms": own_norms}
    task = read_task(values | {"regions": regions})
    model = assemble(find_origin(spec), task, drop_path_rate=drop_path_rate)
    if weights is not None:
        begin_with(model, os.fspath(weights), "weights")
    return model


def find_origin(network: SpecLike) -> ModelSpec | str:
    """A spec, or the name of one of timm's models, which `timm:` may stand before; raises SpecError for neither."""
    return read_named(network).origin if isinstance(network, str) else as_spec(network)


def assemble(origin: ModelSpec | str, task: Task, *, drop_path_rate: float | None = None) -> DenseModel:
    """A spec, or one of timm's models by name, under a task's head, with fresh weights from torch's random numbers."""
    check_host(task)
    return put_on(make_maps(origin, task, drop_path_rate=drop_path_rate), task)


def put_on(maps: Maps, task: Task) -> DenseModel:
    """A task's head, of its host, on maps."""
    host = import_module(f"{__package__}.hosts.{task.own_host}_host")
    model: DenseModel = host.make_model(task, maps)
    return model


def check_host(task: Task) -> None:
    """Raise SpecError where the head's host is not installed."""
    if any(find_spec(name) is None for name in MODULES[task.own_host]):
        package = HOSTS[task.own_host]
        message = f"{task.head} comes from {package}, which is not installed; pip install 'hiri-spec[detect]'"
        raise SpecError(Problem(message, "head", code="missing"))
