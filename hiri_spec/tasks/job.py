"""What a run of detection or segmentation is asked for, read and checked before its first step."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from ..errors import Problem, SpecError
from ..files import as_spec
from ..nn.named import read_named
from ..schema import ModelSpec
from ..train.devices import check_device, check_tracker
from ..train.goal import Batches
from ..train.job import default_workers
from ..train.networks import find_start, set_checkpointing
from ..train.optimization import check_optimizer
from ..train.processes import read_by_first
from ..train.settings import default_folder, fit_warmup_steps, read_plan, split_changes
from ..train.watcher import Started
from ..train.work import Place, Wishes, Work, check_batch_size, list_versions, now, share_batches
from .assembly import assemble, check_host
from .data.loader import SceneLoader, make_scene_loader
from .data.scene_set import SceneSet
from .data.source import open_scene_splits
from .goal import DenseGoal, score_of
from .heads import find_head
from .maps import make_maps
from .recipe import DenseRecipe
from .recipe_file import dense_recipe_for, load_dense_recipe
from .report import write_dense_report
from .run_folder import DenseRun, DenseRunFolder
from .task import Task, default_norms, read_task
from .weights import DenseBelongings, begin_with


@dataclass(frozen=True, slots=True)
class DenseAsked:
    """What a run is asked for; see `hiri_spec.tasks.run.train_dense`."""

    network: str
    head: str
    wishes: Wishes
    host: str | None = None
    strides: tuple[int, ...] | None = None
    norms: str | None = None
    regions: int | None = None
    classes: int | None = None
    recipe: str | None = None
    set: Mapping[str, Any] | None = None
    flags: Mapping[str, Any] | None = None
    out: Place | None = None
    workers: int | None = None
    command: str | None = None


class DenseJob(Work):
    """A backbone under a head that learns from scenes."""

    def __init__(
        self,
        asked: DenseAsked,
        origin: ModelSpec | str,
        task: Task,
        recipe: DenseRecipe,
        training: SceneSet,
        validation: SceneSet,
        folder: DenseRunFolder,
    ) -> None:
        self.asked, self.wishes, self.folder, self._folder = asked, asked.wishes, folder, folder
        self.workers = default_workers() if asked.workers is None else asked.workers
        self.origin, self.task = origin, task
        self.name = origin if isinstance(origin, str) else origin.name
        self.spec = None if isinstance(origin, str) else origin
        self.plan = self.recipe = recipe
        self.training, self.validation = training, validation
        self.belongings = DenseBelongings.describe(origin, task, training.class_names, recipe.images)

    def make_loaders(self, processes: Accelerator) -> tuple[SceneLoader, SceneLoader]:
        recipe, count = self.recipe, processes.num_processes
        self._check_norms(processes)
        options: dict[str, Any] = {
            "images": recipe.images,
            "seed": recipe.seed,
            "workers": self.workers,
            "process_index": processes.process_index,
            "process_count": count,
            "device": processes.device,
            "max_unreadable": recipe.max_unreadable,
        }
        training: dict[str, Any] = {
            "batch_size": share_batches(recipe, count),
            "epoch_steps": recipe.epoch_steps,
            "accumulate": recipe.accumulate,
        }
        return (
            make_scene_loader(self.training, is_training=True, **options, **training),
            # one by one: what is seen in an image would depend on the padding that others bring
            make_scene_loader(self.validation, is_training=False, batch_size=1, **options),
        )

    def _check_norms(self, processes: Accelerator) -> None:
        if self.task.norms == "synchronised" and processes.device.type != "cuda":
            message = "torch synchronises batch norms on CUDA devices alone; use trained or frozen"
            raise SpecError(Problem(message, "--norms", code="no_device"))

    def make_goal(self, processes: Accelerator, validation: Batches) -> DenseGoal:
        return DenseGoal(self.belongings, validation, processes)

    def build(self) -> nn.Module:
        return assemble(self.origin, self.task, drop_path_rate=self.recipe.drop_path_rate)

    def start(self, model: Any) -> str:
        assert self.wishes.init_from is not None
        return begin_with(model, os.fspath(self.wishes.init_from))

    def set_checkpointing(self, model: Any) -> None:
        set_checkpointing(model.maps.network)

    def describe(self, processes: Accelerator) -> DenseRun:
        import torchvision

        images, init_from = self.recipe.images, self.wishes.init_from
        return DenseRun(
            network=self.name,
            source="timm" if self.spec is None else "spec",
            classes=self.task.classes,
            class_names=self.training.class_names,
            resolution=(images.short_side, images.longest_side),
            in_channels=3,
            data=self.wishes.data,
            init_from=None if init_from is None else os.fspath(init_from),
            command=self.asked.command or shlex.join(sys.argv),
            versions=list_versions(torchvision),
            device=str(processes.device),
            processes=processes.num_processes,
            began=now(),
            task=self.task,
        )

    def tell_start(self, params: int, processes: Accelerator, steps: int, steps_per_epoch: int) -> Started:
        images = self.recipe.images
        score, label = score_of(self.task.kind)
        return Started(
            network=f"{self.task.kind.title} on {self.name}",
            size=f"shorter sides of {images.short_side} pixels, longer ones of {images.longest_side} at most",
            params=params,
            data=self.wishes.data,
            train_images=len(self.training),
            validation_images=len(self.validation),
            batch_size=self.recipe.batch_size,
            recipe=self.recipe.name,
            distillation=self.recipe.distillation.distillation,
            score=score,
            score_label=label,
            device=str(processes.device),
            processes=processes.num_processes,
            out=self.folder.path,
            epochs=self.recipe.epochs,
            steps_per_epoch=steps_per_epoch,
            steps=steps,
            workers=self.workers,
        )

    def write_report(self, tell: Callable[[str], None]) -> None:
        write_dense_report(self._folder, tell)


def read_dense_job(asked: DenseAsked, tell: Callable[[str], None]) -> DenseJob:
    """Read task, recipe, network and data; raises SpecError for whatever is wrong or doesn't go together."""
    head, wishes, flags = find_head(asked.head), asked.wishes, asked.flags or {}
    of_spec, of_recipe = split_changes(asked.set or {}, DenseRecipe)
    name = asked.recipe if asked.recipe is not None else dense_recipe_for(wishes.data, head)
    recipe = read_plan(load_dense_recipe, name, of_recipe, flags, tell)
    check_device(wishes.device, recipe.mixed_precision)
    check_tracker(wishes.tracker)
    check_optimizer(recipe.optimizer)
    if recipe.optimizer.layer_decay is not None:
        message = "decays learning rates over the layers of a classifier, and heads have others; leave it null"
        raise SpecError(Problem(message, "optimizer.layer_decay"))
    training, validation = open_scene_splits(wishes.data, head, once=read_by_first(wishes.device))
    for note in (*training.notes, *validation.notes):
        tell(note)
    task = _read_task(asked, len(training.class_names), tell)
    check_host(task)
    origin = read_origin(asked.network, of_spec, recipe.drop_path_rate, tell)
    with torch.device("meta"):  # maps of other strides, and the like, before a folder is made
        maps = make_maps(origin, task)
    if maps.left_out:
        tell(f"{_told_strides(maps.left_out)} {task.head} by default; --strides names others")
    if recipe.epoch_steps is None:
        check_batch_size(recipe, len(training), wishes.data)
    recipe = fit_warmup_steps(recipe, len(training), of_recipe, flags, tell)
    network = origin if isinstance(origin, str) else origin.name
    out = Path(asked.out) if asked.out is not None else default_folder(f"{network}-{task.head}", wishes.data)
    folder = DenseRunFolder(out)
    if wishes.init_from is not None and (wishes.restart or not folder.holds_run):
        find_start(os.fspath(wishes.init_from))  # before a folder is made
    return DenseJob(asked, origin, task, recipe, training, validation, folder)


def _told_strides(left_out: tuple[int, ...]) -> str:
    strides = " and ".join(map(str, left_out))
    return f"the backbone's stage of stride {strides} is left out, as it feeds no level of"


def _read_task(asked: DenseAsked, count: int, tell: Callable[[str], None]) -> Task:
    """The task for the classes of the data, of which it may have more, but not fewer."""
    classes = count if asked.classes is None else asked.classes
    if classes < count:
        message = f"{classes} are too few for {asked.wishes.data}, which has {count}; leave it out, or give {count}"
        raise SpecError(Problem(message, "--classes", code="too_few_classes"))
    if classes > count:
        tell(f"the head has {classes} classes and {asked.wishes.data} only {count}")
    norms = asked.norms or default_norms(asked.wishes.init_from)
    strides = None if asked.strides is None else list(asked.strides)
    values = {"head": asked.head, "host": asked.host, "classes": classes, "strides": strides, "norms": norms}
    return read_task(values | {"regions": asked.regions})


def read_origin(
    name: str, changes: Mapping[str, Any], drop_path_rate: float | None, tell: Callable[[str], None]
) -> ModelSpec | str:
    """The spec of a name as it is trained, or a name of timm's."""
    named = read_named(name, set=changes)
    if named.note is not None:
        tell(named.note)
    if isinstance(named.origin, str):
        return named.origin
    return as_spec(named.origin, set={} if drop_path_rate is None else {"drop_path_rate": drop_path_rate})
