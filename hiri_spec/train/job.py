"""What a run is asked for, read and checked: all that can be known to be wrong is told before the first step."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from ..errors import Problem, SpecError
from ..quantities import format_resolution
from .classification import Classification
from .data import ImageSet, Loader, make_loader, open_dataset
from .devices import check_device, check_tracker
from .goal import Batches
from .networks import Network, find_start, fit_classes, read_network, set_checkpointing, start_from
from .optimization import check_optimizer
from .recipe import Recipe
from .recipe_file import load_recipe, recipe_for
from .report import write_report
from .run_folder import RunFolder
from .settings import default_folder, fit_warmup_steps, read_plan, split_changes
from .single_images import is_of_single_image
from .work import Place, Wishes, Work, check_batch_size, share_batches

MOST_WORKERS = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is asked for; see `hiri_spec.train.run.train`."""

    network: str
    wishes: Wishes
    recipe: str | None = None
    set: Mapping[str, Any] | None = None
    flags: Mapping[str, Any] | None = None
    out: Place | None = None
    workers: int | None = None
    command: str | None = None


class Job(Work):
    """A network that learns to tell classes."""

    def __init__(
        self,
        asked: Asked,
        network: Network,
        recipe: Recipe,
        training: ImageSet,
        validation: ImageSet,
        folder: RunFolder,
        workers: int,
    ) -> None:
        self.wishes, self.folder, self.workers = asked.wishes, folder, workers
        self.network, self.name, self.spec = network, network.name, network.spec
        self.plan = self.recipe = recipe
        self.training: ImageSet = training
        self.validation: ImageSet = validation
        self.command = asked.command
        self.title, self.sizes = network.name, f"{format_resolution(network.resolution)} pixels"
        self.score, self.score_label = Classification.score, Classification.score_label

    def make_loaders(self, processes: Accelerator) -> tuple[Loader, Loader]:
        recipe, count = self.recipe, processes.num_processes
        size = share_batches(recipe, count)
        options: dict[str, Any] = {
            "augmentation": recipe.augmentation,
            "batch_size": size,
            "resolution": self.network.resolution,
            "seed": recipe.seed,
            "workers": self.workers,
            "process_index": processes.process_index,
            "process_count": count,
            "classes": self.network.classes,
            "device": processes.device,
            "max_unreadable": recipe.max_unreadable,
        }
        loaders = (
            make_loader(self.training, is_training=True, **options),
            make_loader(self.validation, is_training=False, **options),
        )
        if size == 1:
            _check_single_images(self.network, recipe.accumulate * count)
        return loaders

    def make_goal(self, processes: Accelerator, validation: Batches) -> Classification:
        return Classification(self.recipe, self.network, validation, processes)

    def build(self) -> nn.Module:
        return self.network.build()

    def start(self, model: nn.Module) -> str:
        assert self.wishes.init_from is not None
        place, report = start_from(model, os.fspath(self.wishes.init_from))
        return f"weights of {place}\n{report}"

    def set_checkpointing(self, model: nn.Module) -> None:
        set_checkpointing(model)

    def describe_network(self) -> dict[str, Any]:
        network = self.network
        return {
            "classes": network.classes,
            "resolution": network.resolution,
            "in_channels": network.in_channels,
        }

    def write_report(self, tell: Callable[[str], None]) -> None:
        write_report(self.folder, tell)


def read_job(asked: Asked, tell: Callable[[str], None]) -> Job:
    """Read recipe, network and data; raises SpecError for whatever is wrong with them or doesn't go together."""
    flags = asked.flags or {}
    of_spec, of_recipe = split_changes(asked.set or {})
    name = asked.recipe if asked.recipe is not None else recipe_for(asked.wishes.data)
    recipe = read_plan(load_recipe, name, of_recipe, flags, tell)
    check_device(asked.wishes.device, recipe.mixed_precision)
    check_tracker(asked.wishes.tracker)
    check_optimizer(recipe.optimizer)
    origin, resolution, in_channels = read_network(asked.network, recipe, tell, set=of_spec)
    training, validation = (
        open_dataset(asked.wishes.data, split, resolution=resolution, in_channels=in_channels)
        for split in ("train", "validation")
    )
    network = fit_classes(origin, resolution, in_channels, recipe, training.class_names, asked.wishes.data, tell)
    check_batch_size(recipe, len(training), asked.wishes.data)
    recipe = fit_warmup_steps(recipe, len(training), of_recipe, flags, tell)
    out = Path(asked.out) if asked.out is not None else default_folder(network.name, asked.wishes.data)
    folder = RunFolder(out)
    if asked.wishes.init_from is not None and (asked.wishes.restart or not folder.holds_run):
        find_start(os.fspath(asked.wishes.init_from))  # before a folder is made
    workers = default_workers() if asked.workers is None else asked.workers
    return Job(asked, network, recipe, training, validation, folder, workers)


def default_workers() -> int:
    """Processes that read images: as many as there are cores for each process of the run, but for its own."""
    cores = len(os.sched_getaffinity(0)) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(0, min(MOST_WORKERS, cores - 1))


def _check_single_images(network: Network, parts: int) -> None:
    """Refuse batches of one image where a batch norm has nothing to normalise by: maps of a single position."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        model = network.build().train()
        try:
            model(torch.zeros(1, network.in_channels, *network.resolution))
        except ValueError as error:
            if not is_of_single_image(error):
                raise
            message = (
                f"each batch has one image, of which {network.name} at {format_resolution(network.resolution)} pixels "
                f"normalises maps of a single position; use {2 * parts} or more, or a larger resolution"
            )
            raise SpecError(Problem(message, "batch_size", code="single_image")) from error
