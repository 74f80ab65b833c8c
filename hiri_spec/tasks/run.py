"""A whole run of detection or segmentation; the same call goes on where it stopped."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..train.session import TrainResult, run_work
from ..train.watcher import Watcher
from ..train.work import Wishes
from .job import DenseAsked, read_dense_job


def train_dense(
    network: str,
    data: str,
    head: str,
    *,
    host: str | None = None,
    strides: Sequence[int] | None = None,
    norms: str | None = None,
    regions: int | None = None,
    classes: int | None = None,
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
    """Train a spec or a timm model under a head on a data source by a recipe, or go on with the run in `out`.

    `set` changes values of spec and recipe by dotted path, `flags` fields of the recipe such as epochs. `init_from` are
    weights of a backbone, or of a whole detector. `norms` are "frozen" by default on such weights, else "trained".
    Raises SpecError for whatever is wrong, before the first step where that can be known; nothing of another run is
    changed.
    """
    wishes = Wishes(data, init_from, device, tracker, checkpoint_grad, restart)
    watcher = watcher or Watcher()
    wanted = None if strides is None else tuple(strides)
    asked = DenseAsked(
        network, head, wishes, host, wanted, norms, regions, classes, recipe, set, flags, out, workers, command
    )
    return run_work(read_dense_job(asked, watcher.noted), watcher)
