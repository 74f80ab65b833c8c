"""A whole run: everything is checked before the first step, then trained; the same call goes on where it stopped."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn

from .. import __version__
from ..errors import Problem, SpecError
from ..locking import locked_folder
from .checkpoints import read_checkpoint
from .data import ImageSet, Loader, make_loader, open_dataset
from .devices import check_device, check_tracker, opened_accelerator
from .distill import Teacher
from .interrupts import StopRequest
from .logs import LossLog
from .loop import Loop
from .networks import Network, fit_classes, read_network, set_checkpointing, start_from
from .optimization import make_optimizer, make_scheduler
from .recipe import Recipe
from .run_folder import LOSSES_NAME, Run, RunFolder
from .settings import default_folder, read_recipe, split_changes
from .state import Parts, Progress, restore
from .watcher import Started, Watcher

MOST_WORKERS = 8
PACKAGES = ("torch", "timm", "accelerate", "numpy")


@dataclass(frozen=True, slots=True)
class TrainResult:
    """How a run ended; `rows` are the figures of all finished epochs, as metrics.csv has them.

    `status` is "already_finished" where there was nothing left to do; `signal` is the one that interrupted it.
    """

    status: Literal["finished", "interrupted", "already_finished"]
    out: Path
    rows: list[dict[str, Any]]
    steps: int
    signal: int | None = None
    is_main: bool = True
    """Whether this is the process that speaks for all of them."""


@dataclass(frozen=True, slots=True)
class Job:
    """All that a run needs to know, checked."""

    network: Network
    recipe: Recipe
    data: str
    training: ImageSet
    validation: ImageSet
    folder: RunFolder
    init_from: str | None
    device: str
    workers: int
    tracker: str | None
    checkpoint_grad: bool
    command: str


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
    can be known, and nothing of another run is changed.
    """
    watcher = watcher or Watcher()
    of_spec, of_recipe = split_changes(set or {})
    chosen = read_recipe(recipe, data, of_recipe, flags or {})
    check_device(device, chosen.mixed_precision)
    check_tracker(tracker)
    origin, resolution, in_channels = read_network(network, chosen, watcher.noted, set=of_spec)
    training, validation = (
        open_dataset(data, split, resolution=resolution, in_channels=in_channels) for split in ("train", "validation")
    )
    fitted = fit_classes(origin, resolution, in_channels, chosen, training.class_names, data, watcher.noted)
    job = Job(
        fitted,
        chosen,
        data,
        training,
        validation,
        RunFolder(Path(out) if out is not None else default_folder(fitted.name, data)),
        None if init_from is None else os.fspath(init_from),
        device,
        default_workers() if workers is None else workers,
        tracker,
        checkpoint_grad,
        command or shlex.join(sys.argv),
    )
    with opened_accelerator(
        device,
        mixed_precision=chosen.mixed_precision,
        accumulate=chosen.accumulate,
        tracker=tracker,
        logs=str(job.folder.logs),
    ) as accelerator:
        loaders = _make_loaders(job, accelerator)
        with ExitStack() as stack:
            return _run(job, accelerator, *loaders, watcher, stack, restart=restart)


def default_workers() -> int:
    """Processes that read images: as many as there are cores for each process of the run, but for its own."""
    cores = len(os.sched_getaffinity(0)) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(0, min(MOST_WORKERS, cores - 1))


def _make_loaders(job: Job, accelerator: Accelerator) -> tuple[Loader, Loader]:
    recipe, count = job.recipe, accelerator.num_processes
    parts = recipe.accumulate * count
    if recipe.batch_size % parts:
        message = (
            f"{recipe.batch_size} images don't divide among {count} processes of {recipe.accumulate} batches each; "
            f"use a multiple of {parts}"
        )
        raise SpecError(Problem(message, "batch_size", code="indivisible"))
    if recipe.batch_size > len(job.training):
        message = (
            f"{recipe.batch_size:,} is more than the {len(job.training):,} training images of {job.data}; "
            f"use at most {len(job.training):,}, with --batch-size"
        )
        raise SpecError(Problem(message, "batch_size", code="too_large"))
    options: dict[str, Any] = {
        "augmentation": recipe.augmentation,
        "batch_size": recipe.batch_size // parts,
        "resolution": job.network.resolution,
        "seed": recipe.seed,
        "workers": job.workers,
        "process_index": accelerator.process_index,
        "process_count": count,
        "classes": job.network.classes,
        "device": accelerator.device,
    }
    return (
        make_loader(job.training, is_training=True, **options),
        make_loader(job.validation, is_training=False, **options),
    )


def _run(
    job: Job,
    accelerator: Accelerator,
    training: Loader,
    validation: Loader,
    watcher: Watcher,
    stack: ExitStack,
    *,
    restart: bool,
) -> TrainResult:
    folder = job.folder
    if accelerator.is_main_process:
        stack.enter_context(locked_folder(folder.path, "run"))
        run = _open_folder(job, accelerator, restart=restart)
    accelerator.wait_for_everyone()
    if not accelerator.is_main_process:
        run = folder.read_run()
    state = read_checkpoint(folder.checkpoints, watcher.noted if accelerator.is_main_process else lambda text: None)
    if run.status == "finished" and state is not None:
        accelerator.wait_for_everyone()
        done = state["progress"]
        is_main = accelerator.is_main_process
        return TrainResult("already_finished", folder.path, done["rows"], done["steps"], is_main=is_main)
    set_seed(job.recipe.seed)
    model = job.network.build()
    if job.init_from is not None and state is None:
        place, report = start_from(model, job.init_from)
        watcher.noted(f"weights of {place}:\n{report}")
    if job.checkpoint_grad:
        set_checkpointing(model)
    model.to(accelerator.device)
    set_seed(job.recipe.seed + accelerator.process_index)
    settings = job.recipe.distillation
    optimizer = make_optimizer(model, job.recipe.optimizer)
    steps_per_epoch = len(training) // job.recipe.accumulate
    parts = Parts(
        model,
        Teacher(model, settings) if settings.keeps_average else None,
        optimizer,
        make_scheduler(optimizer, job.recipe, steps_per_epoch),
        accelerator,
        Progress(),
    )
    prepared, stepping = accelerator.prepare(model, optimizer)
    if state is not None:
        restore(parts, state, job.recipe.seed)
        if len(state["random"]) != accelerator.num_processes:
            watcher.noted(
                f"goes on with {accelerator.num_processes} processes, not {len(state['random'])} as before: "
                "the result is no longer the very one of a run that was never stopped"
            )
    accelerator.init_trackers(
        job.network.name, init_kwargs={"tensorboard": {"purge_step": parts.progress.steps + 1}} if state else {}
    )
    watcher.started(_started(job, accelerator, model, steps_per_epoch, parts.progress))
    return _train(job, run, parts, prepared, stepping, training, validation, watcher, stack)


def _train(
    job: Job,
    run: Run,
    parts: Parts,
    model: nn.Module,
    optimizer: Any,
    training: Loader,
    validation: Loader,
    watcher: Watcher,
    stack: ExitStack,
) -> TrainResult:
    is_main = parts.accelerator.is_main_process
    log = LossLog(job.folder.path / LOSSES_NAME, parts.progress.steps) if is_main else None
    if log is not None:
        stack.callback(log.close)
    stack.callback(parts.accelerator.end_training)
    stop = stack.enter_context(StopRequest())
    loop = Loop(
        parts,
        model,
        optimizer,
        recipe=job.recipe,
        network=job.network,
        training=training,
        validation=validation,
        folder=job.folder,
        log=log,
        watcher=watcher,
        stop=stop,
    )
    ending = loop.run()
    if is_main:
        changes = {"status": ending, "ended": _now(), "epochs": parts.progress.epoch}
        job.folder.write_run(run.model_copy(update=changes))
    parts.accelerator.wait_for_everyone()
    return TrainResult(ending, job.folder.path, parts.progress.rows, parts.progress.steps, stop.signal, is_main)


def _open_folder(job: Job, accelerator: Accelerator, *, restart: bool) -> Run:
    """Begin a run in the folder, or see that it is the very one that is there."""
    folder, network = job.folder, job.network
    run = Run(
        network=network.name,
        source="timm" if network.spec is None else "spec",
        classes=network.classes,
        class_names=job.training.class_names,
        resolution=network.resolution,
        in_channels=network.in_channels,
        data=job.data,
        init_from=job.init_from,
        command=job.command,
        versions={
            "python": sys.version.split()[0],
            "hiri-spec": __version__,
            **{name: version(name) for name in PACKAGES},
        },
        device=str(accelerator.device),
        processes=accelerator.num_processes,
        began=_now(),
    )
    if restart:
        folder.clear()
    if not folder.holds_run:
        folder.begin(run, network.spec, job.recipe)
        return run
    folder.check_same(run, network.spec, job.recipe)
    known = folder.read_run()
    if known.status != "finished":
        known = run.model_copy(update={"began": known.began, "epochs": known.epochs})
        folder.write_run(known)
    return known


def _started(job: Job, accelerator: Accelerator, model: nn.Module, steps_per_epoch: int, progress: Progress) -> Started:
    return Started(
        job.network.name,
        job.network.resolution,
        sum(parameter.numel() for parameter in model.parameters()),
        job.data,
        len(job.training),
        len(job.validation),
        job.recipe.batch_size,
        job.recipe.name,
        job.recipe.distillation.distillation,
        str(accelerator.device),
        accelerator.num_processes,
        job.folder.path,
        job.recipe.epochs,
        steps_per_epoch,
        progress.steps,
        job.workers,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
