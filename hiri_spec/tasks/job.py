"""What a run of detection or segmentation is asked for, read and checked before its first step."""

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
from ..train.work import Place, Wishes, Work, check_batch_size, share_batches
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
from .run_folder import DenseRunFolder
from .task import ONE_CLASS, Task, default_norms, read_task
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
        self.wishes = asked.wishes
        self.folder: DenseRunFolder = folder
        self.workers = default_workers() if asked.workers is None else asked.workers
        self.origin, self.task = origin, task
        self.name = origin if isinstance(origin, str) else origin.name
        self.spec = None if isinstance(origin, str) else origin
        self.plan = self.recipe = recipe
        self.training: SceneSet = training
        self.validation: SceneSet = validation
        self.command, self.title = asked.command, f"{task.kind.title} on {self.name}"
        short, longest = recipe.images.short_side, recipe.images.longest_side
        self.sizes = f"shorter sides of {short} pixels, longer ones of {longest} at most"
        self.score, self.score_label = score_of(task.kind)
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

    def describe_network(self) -> dict[str, Any]:
        images = self.recipe.images
        return {
            "classes": self.task.classes,
            "resolution": (images.short_side, images.longest_side),
            "in_channels": 3,
            "task": self.task,
        }

    def write_report(self, tell: Callable[[str], None]) -> None:
        write_dense_report(self.folder, tell)


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
    count = len(training.class_names)
    if head.is_segmentation and count == 1:  # however many the head has, it would see but one
        raise SpecError(Problem(ONE_CLASS, file=wishes.data, code="one_class"))
    task = _read_task(asked, count, tell)
    check_host(task)
    origin = read_origin(asked.network, of_spec, recipe.drop_path_rate, tell)
    with torch.device("meta"):  # maps of other strides, and the like, before a folder is made
        maps = make_maps(origin, task)
    if maps.left_out:
        tell(_told_left_out(maps.left_out, task))
    if recipe.epoch_steps is None:
        check_batch_size(recipe, len(training), wishes.data)
    recipe = fit_warmup_steps(recipe, len(training), of_recipe, flags, tell)
    network = origin if isinstance(origin, str) else origin.name
    out = Path(asked.out) if asked.out is not None else default_folder(f"{network}-{task.head}", wishes.data)
    folder = DenseRunFolder(out)
    if wishes.init_from is not None and (wishes.restart or not folder.holds_run):
        find_start(os.fspath(wishes.init_from))  # before a folder is made
    return DenseJob(asked, origin, task, recipe, training, validation, folder)


def _told_left_out(left_out: tuple[int, ...], task: Task) -> str:
    *others, last = map(str, left_out)
    what, are, feeds = ("stages of strides", "are", "they feed") if others else ("stage of stride", "is", "it feeds")
    strides = f"{', '.join(others)} and {last}" if others else last
    if task.strides is not None:
        why = f"{'they come' if others else 'it comes'} after the last that --strides names"
    else:
        why = f"{feeds} no level of {task.head} by default; --strides names others"
    return f"the backbone's {what} {strides} {are} left out, as {why}"


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
