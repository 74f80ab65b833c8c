"""Goal: what a network learns by and is judged by; a kind of task has one, and the loop is the same for all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from .distill import Teacher

Figures = dict[str, float | None]
"""What evaluation gives, by name of a column of metrics.csv; None where there is nothing to tell."""


class Batches(Protocol):
    """What makes the batches of an epoch; `len()` is how many there are."""

    @property
    def unreadable(self) -> dict[str, str]:
        """The images that could not be read so far, and why."""

    def note_unreadable(self, images: Mapping[str, str]) -> None:
        """Count some that others could not read; raises SpecError where all together are too many."""

    def __len__(self) -> int: ...

    def epoch(self, epoch: int, first_batch: int = 0) -> Iterator[Any]:
        """The batches of an epoch, both counted from 0, from one batch on."""


class Goal(ABC):
    """The loss of a step, and how good a network is on held-out images.

    `score` is the figure by which the best weights are known, the more the better, and `score_label` what people call
    it; all figures but losses are in per cent.
    """

    score: str
    score_label: str

    @abstractmethod
    def compute_loss(self, model: nn.Module, batch: Any, teacher: Teacher | None) -> Tensor:
        """The loss of a batch, a scalar; `teacher` is there once the network learns from it."""

    @abstractmethod
    def evaluate(self, model: nn.Module) -> Figures:
        """How good the network is on held-out images; lets through what their batches raise where a run stops."""

    @abstractmethod
    def save(self, model: nn.Module, folder: Path) -> None:
        """Write the weights of the network, or of its average, into a folder, with all that belongs to them."""
