"""A whole run: checked, begun or gone on with, trained; the same call goes on where it stopped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .job import Asked, read_job
from .session import TrainResult, run_work
from .watcher import Watcher
from .work import Wishes

__all__ = ["TrainResult", "train"]


def train(
    network: str,
    data: str,
    *,
    recipe: str | None = None,
    set: Mapping[str, Any] | None = None,
    flags: Mapping[str, Any] | None = None,
    out: str | os.PathLike[str] | None = None,
    init_from: str | os.PathLike[str] | None = None,
    device: str = "auto",
    workers: int | None = None,
    tracker: str | None = None,
    checkpoint_grad: bool = False,
    restart: bool = False,
    watcher: Watcher | None = None,
    command: str | None = None,
) -> TrainResult:
    """Train a spec or a timm model on a data source by a recipe, or go on with the run in `out`.

    `set` changes values of spec and recipe by dotted path, `flags` fields of the recipe such as epochs. `restart`
    begins anew in a folder that holds a run. Raises SpecError for whatever is wrong, before the first step where that
    can be known; nothing of another run is changed.
    """
    wishes = Wishes(data, init_from, device, tracker, checkpoint_grad, restart)
    watcher = watcher or Watcher()
    asked = Asked(network, wishes, recipe, set, flags, out, workers, command)
    return run_work(read_job(asked, watcher.noted), watcher)
