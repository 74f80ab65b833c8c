"""Work: what a session trains, read and checked; a kind of task has one, and the session is the same for all."""

from __future__ import annotations

import os
import shlex
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import accelerate
import numpy
import timm
import torch
import torchvision
from accelerate import Accelerator
from torch import nn

from .. import __version__
from ..errors import Problem, SpecError
from ..schema import ModelSpec
from .goal import Batches, Goal
from .plan import Plan
from .run_folder import Run, RunFolder
from .watcher import Started

Place = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What every run may be asked for, whatever its task."""

    data: str
    init_from: Place | None = None
    device: str = "auto"
    tracker: str | None = None
    checkpoint_grad: bool = False
    restart: bool = False


class ImageCollection(Protocol):
    """What is told of the images of a split, whatever is known of them."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of its classes."""
        ...

    def __len__(self) -> int: ...


class Work(ABC):
    """A network, data and a recipe that go together, and the folder for what comes of them.

    `title` is what is trained, `sizes` at what image sizes, for people; `score` is the figure that counts and
    `score_label` what they call it.
    """

    folder: RunFolder
    plan: Plan
    wishes: Wishes
    name: str
    """The network's name."""
    spec: ModelSpec | None
    """Its spec, unless it is timm's."""
    training: ImageCollection
    validation: ImageCollection
    workers: int
    """Processes that read images."""
    command: str | None
    """What is noted as the command of the run; None: this process's own."""
    title: str
    sizes: str
    score: str
    score_label: str

    @abstractmethod
    def make_loaders(self, processes: Accelerator) -> tuple[Any, Any]:
        """The `Batches` of this process for training and validation; raises SpecError where batches don't divide."""

    @abstractmethod
    def make_goal(self, processes: Accelerator, validation: Batches) -> Goal:
        """What is learnt, and judged by those held-out batches."""

    @abstractmethod
    def build(self) -> nn.Module:
        """The module with fresh weights from torch's random numbers."""

    @abstractmethod
    def start(self, model: nn.Module) -> str:
        """Load the weights that are wished for to begin with; returns a report of what was carried."""

    @abstractmethod
    def set_checkpointing(self, model: nn.Module) -> None:
        """Have a network keep less and compute more."""

    @abstractmethod
    def describe_network(self) -> dict[str, Any]:
        """What run.json says of the network beside its name: classes, resolution, and what a kind of task adds."""

    @abstractmethod
    def write_report(self, tell: Callable[[str], None]) -> None:
        """Write what a run leaves for people to read, however it ended."""

    def describe(self, processes: Accelerator) -> Run:
        """What run.json says of a run that begins now."""
        init_from = self.wishes.init_from
        return self.folder.run_type(
            network=self.name,
            source="timm" if self.spec is None else "spec",
            class_names=self.training.class_names,
            data=self.wishes.data,
            init_from=None if init_from is None else os.fspath(init_from),
            command=self.command or shlex.join(sys.argv),
            versions=list_versions(),
            device=str(processes.device),
            processes=processes.num_processes,
            began=now(),
            **self.describe_network(),
        )

    def tell_start(self, params: int, processes: Accelerator, steps: int, steps_per_epoch: int) -> Started:
        """What is told when the first step comes next."""
        return Started(
            network=self.title,
            size=self.sizes,
            params=params,
            data=self.wishes.data,
            train_images=len(self.training),
            validation_images=len(self.validation),
            batch_size=self.plan.batch_size,
            recipe=self.plan.name,
            distillation=self.plan.distillation.distillation,
            score=self.score,
            score_label=self.score_label,
            device=str(processes.device),
            processes=processes.num_processes,
            out=self.folder.path,
            epochs=self.plan.epochs,
            steps_per_epoch=steps_per_epoch,
            steps=steps,
            workers=self.workers,
        )


def share_batches(plan: Plan, count: int) -> int:
    """Images of one batch of one of `count` processes; raises SpecError where a step's images don't divide so."""
    parts = plan.accumulate * count
    if plan.batch_size % parts:
        message = (
            f"{plan.batch_size} images don't divide among {count} processes of {plan.accumulate} batches each; "
            f"use a multiple of {parts}"
        )
        raise SpecError(Problem(message, "batch_size", code="indivisible"))
    return plan.batch_size // parts


def check_batch_size(plan: Plan, images: int, data: str) -> None:
    """Raise SpecError where a step wants more images than there are to train on."""
    if plan.batch_size > images:
        message = (
            f"{plan.batch_size:,} is more than the {images:,} training images of {data}; "
            f"use at most {images:,}, with --batch-size"
        )
        raise SpecError(Problem(message, "batch_size", code="too_large"))


def list_versions() -> dict[str, str]:
    """The versions of Python, of this package and of those that have a say in every training."""
    packages: tuple[Any, ...] = torch, torchvision, timm, accelerate, numpy
    return {
        "python": sys.version.split()[0],
        "hiri-spec": __version__,
        **{package.__name__: str(package.__version__) for package in packages},
    }


def now() -> str:
    """The time as run.json has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
