"""The whole state of a training run as plain data, so that a run that goes on is the run that was never stopped."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, set_seed
from timm.scheduler.scheduler import Scheduler
from torch import nn

from .distill import Teacher

VERSION = 1


@dataclass(slots=True)
class Progress:
    """How far a run is: `epoch` is the one in work, counted from 0, with `epoch_steps` of its steps done.

    `steps` are those of the optimizer since the beginning, `loss_sum` the sum of this epoch's losses, `rows` the
    metrics of finished epochs, `best` and `best_ema` the highest top-1 accuracies so far.
    """

    epoch: int = 0
    epoch_steps: int = 0
    steps: int = 0
    loss_sum: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)
    best: float | None = None
    best_ema: float | None = None


@dataclass(slots=True)
class Parts:
    """Everything of a run that changes from step to step."""

    model: nn.Module
    teacher: Teacher | None
    optimizer: torch.optim.Optimizer
    scheduler: Scheduler
    accelerator: Accelerator
    progress: Progress


def capture(parts: Parts) -> dict[str, Any]:
    """The state as tensors and plain values; all processes have to ask for it together."""
    scaler = parts.accelerator.scaler
    return {
        "version": VERSION,
        "progress": asdict(parts.progress),
        "model": parts.model.state_dict(),
        "teacher": None if parts.teacher is None else parts.teacher.model.state_dict(),
        "optimizer": parts.optimizer.state_dict(),
        "scheduler": parts.scheduler.state_dict(),
        "scaler": None if scaler is None else scaler.state_dict(),
        "random": gather_object([capture_random(parts.accelerator.device)]),
    }


def restore(parts: Parts, state: dict[str, Any], seed: int) -> None:
    """Put everything back as it was captured. Processes that there were not then draw from seeds of their own."""
    parts.progress = Progress(**state["progress"])
    parts.model.load_state_dict(state["model"])
    if parts.teacher is not None:
        parts.teacher.model.load_state_dict(state["teacher"])
    parts.optimizer.load_state_dict(state["optimizer"])
    parts.scheduler.load_state_dict(state["scheduler"])
    if parts.accelerator.scaler is not None and state["scaler"] is not None:
        parts.accelerator.scaler.load_state_dict(state["scaler"])
    own = parts.accelerator.process_index
    if own < len(state["random"]):
        restore_random(state["random"][own], parts.accelerator.device)
    else:
        set_seed(seed + own + parts.progress.steps)


def capture_random(device: torch.device) -> dict[str, Any]:
    """The state of every random number generator that training draws from."""
    algorithm, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    version, words, gauss_next = random.getstate()
    return {
        "python": [version, list(words), gauss_next],
        "numpy": [algorithm, np.asarray(keys).tolist(), position, has_gauss, gauss],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }


def restore_random(state: dict[str, Any], device: torch.device) -> None:
    """Put the generators back."""
    version, words, gauss_next = state["python"]
    random.setstate((version, tuple(words), gauss_next))
    algorithm, keys, *rest = state["numpy"]
    np.random.set_state((algorithm, np.array(keys, dtype=np.uint32), *rest))
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)
