"""What a run is asked for, read and checked: all that can be known to be wrong is told before the first step."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import accelerate
import numpy
import timm
import torch
from accelerate import Accelerator

from .. import __version__
from ..errors import Problem, SpecError
from ..quantities import format_resolution
from .data import ImageSet, Loader, make_loader, open_dataset
from .devices import check_device, check_tracker
from .networks import Network, find_start, fit_classes, read_network
from .optimization import check_optimizer
from .recipe import Recipe
from .run_folder import Run, RunFolder
from .settings import default_folder, read_recipe, split_changes

MOST_WORKERS = 8
Place = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is asked for; see `hiri_spec.train.run.train`."""

    network: str
    data: str
    recipe: str | None = None
    set: Mapping[str, Any] | None = None
    flags: Mapping[str, Any] | None = None
    out: Place | None = None
    init_from: Place | None = None
    device: str = "auto"
    workers: int | None = None
    tracker: str | None = None
    checkpoint_grad: bool = False
    restart: bool = False
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """All that a run needs to know, checked."""

    asked: Asked
    network: Network
    recipe: Recipe
    training: ImageSet
    validation: ImageSet
    folder: RunFolder
    workers: int


def read_job(asked: Asked, tell: Callable[[str], None]) -> Job:
    """Read recipe, network and data; raises SpecError for whatever is wrong with them or doesn't go together."""
    of_spec, of_recipe = split_changes(asked.set or {})
    recipe = read_recipe(asked.recipe, asked.data, of_recipe, asked.flags or {})
    check_device(asked.device, recipe.mixed_precision)
    check_tracker(asked.tracker)
    check_optimizer(recipe.optimizer)
    origin, resolution, in_channels = read_network(asked.network, recipe, tell, set=of_spec)
    training, validation = (
        open_dataset(asked.data, split, resolution=resolution, in_channels=in_channels)
        for split in ("train", "validation")
    )
    network = fit_classes(origin, resolution, in_channels, recipe, training.class_names, asked.data, tell)
    if recipe.batch_size > len(training):
        message = (
            f"{recipe.batch_size:,} is more than the {len(training):,} training images of {asked.data}; "
            f"use at most {len(training):,}, with --batch-size"
        )
        raise SpecError(Problem(message, "batch_size", code="too_large"))
    out = Path(asked.out) if asked.out is not None else default_folder(network.name, asked.data)
    folder = RunFolder(out)
    if asked.init_from is not None and (asked.restart or not folder.holds_run):
        find_start(os.fspath(asked.init_from))  # before a folder is made
    workers = default_workers() if asked.workers is None else asked.workers
    return Job(asked, network, recipe, training, validation, folder, workers)


def default_workers() -> int:
    """Processes that read images: as many as there are cores for each process of the run, but for its own."""
    cores = len(os.sched_getaffinity(0)) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(0, min(MOST_WORKERS, cores - 1))


def make_loaders(job: Job, processes: Accelerator) -> tuple[Loader, Loader]:
    """The loaders of this process for training and validation; raises SpecError where batches don't divide."""
    recipe, count = job.recipe, processes.num_processes
    parts = recipe.accumulate * count
    if recipe.batch_size % parts:
        message = (
            f"{recipe.batch_size} images don't divide among {count} processes of {recipe.accumulate} batches each; "
            f"use a multiple of {parts}"
        )
        raise SpecError(Problem(message, "batch_size", code="indivisible"))
    size = recipe.batch_size // parts
    options: dict[str, Any] = {
        "augmentation": recipe.augmentation,
        "batch_size": size,
        "resolution": job.network.resolution,
        "seed": recipe.seed,
        "workers": job.workers,
        "process_index": processes.process_index,
        "process_count": count,
        "classes": job.network.classes,
        "device": processes.device,
        "max_unreadable": recipe.max_unreadable,
    }
    loaders = (
        make_loader(job.training, is_training=True, **options),
        make_loader(job.validation, is_training=False, **options),
    )
    if size == 1:
        _check_single_images(job.network, parts)
    return loaders


def _check_single_images(network: Network, parts: int) -> None:
    """Refuse batches of one image where a batch norm has nothing to normalise by: maps of a single position."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        model = network.build().train()
        try:
            model(torch.zeros(1, network.in_channels, *network.resolution))
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            message = (
                f"each batch has one image, of which {network.name} at {format_resolution(network.resolution)} pixels "
                f"normalises maps of a single position; use {2 * parts} or more, or a larger resolution"
            )
            raise SpecError(Problem(message, "batch_size", code="single_image")) from error


def describe(job: Job, processes: Accelerator) -> Run:
    """What run.json says of a run that begins now."""
    network = job.network
    return Run(
        network=network.name,
        source="timm" if network.spec is None else "spec",
        classes=network.classes,
        class_names=job.training.class_names,
        resolution=network.resolution,
        in_channels=network.in_channels,
        data=job.asked.data,
        init_from=None if job.asked.init_from is None else os.fspath(job.asked.init_from),
        command=job.asked.command or shlex.join(sys.argv),
        versions={
            "python": sys.version.split()[0],
            "hiri-spec": __version__,
            **{package.__name__: str(package.__version__) for package in (torch, timm, accelerate, numpy)},
        },
        device=str(processes.device),
        processes=processes.num_processes,
        began=now(),
    )


def now() -> str:
    """The time as run.json has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
