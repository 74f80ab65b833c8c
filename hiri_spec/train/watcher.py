"""What a run tells while it goes, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Started:
    """A run that begins, or goes on after `steps` steps; `batch_size` is that of a step, in images.

    `score` is the figure of metrics.csv that counts, `score_label` what people call it; `size` tells that of images.
    """

    network: str
    size: str
    params: int
    data: str
    train_images: int
    validation_images: int
    batch_size: int
    recipe: str
    distillation: str
    score: str
    score_label: str
    device: str
    processes: int
    out: Path
    epochs: int
    steps_per_epoch: int
    steps: int
    workers: int


@dataclass(frozen=True, slots=True)
class Stepped:
    """A step is done; `step` and `epoch` are counted from 1, `epoch_step` from 1 within its epoch."""

    step: int
    epoch: int
    epoch_step: int
    loss: float
    learning_rate: float
    images_per_s: float


class Watcher:
    """Hears how a run goes; this one says nothing."""

    def noted(self, text: str) -> None:
        """Something about the run that its user should know."""

    def started(self, start: Started) -> None:
        """Everything is ready, and the first step comes next."""

    def stepped(self, step: Stepped) -> None:
        """A step is done."""

    def evaluating(self, what: str) -> None:
        """The network or its average is being evaluated."""

    def epoch_ended(self, row: dict[str, Any]) -> None:
        """An epoch is done, with the figures that metrics.csv gets."""

    def saved(self, path: Path) -> None:
        """A checkpoint was written."""
