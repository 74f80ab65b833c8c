"""What the measuring shows on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from hiri_spec.command_line import console

from ..budget import Budget
from ..evaluators import Chosen
from .measuring import Wanted
from .table import Measurement

PLAIN_SECONDS = 10.0


class Screen:
    """Told how the measuring goes."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._progress: Any = None
        self._task: Any = None
        self._label, self._total, self._done = "", 0, 0
        self._began = self._last = 0.0

    def opened(self, networks: int, budget: Budget, folder: Path) -> None:
        """Say what is measured."""
        self._console.print(f"{networks} networks of {budget}; measurements: {folder}")

    def began(self, chosen: Chosen, total: int) -> None:
        """Begin with one measure, of which so many values are missing."""
        self.close()
        self._label, self._total, self._done = chosen.label, total, 0
        self._began = time.monotonic()
        if self._console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task(self._label, total=total)

    def measured(self, row: Measurement) -> None:
        """Move on."""
        self._done += 1
        if self._progress is not None:
            self._progress.update(self._task, advance=1)
        elif time.monotonic() - self._last > PLAIN_SECONDS or self._done == self._total:
            self._last = time.monotonic()
            left_s = (self._last - self._began) / self._done * (self._total - self._done)
            self._console.print(
                f"{self._label}: {self._done}/{self._total}, {left_s / 60:.0f} min left", soft_wrap=True
            )

    def failed(self, place: Wanted, reason: str) -> None:
        """Tell what has no value, and why."""
        self._console.print(f"{self._label} of network {place.network}, seed {place.seed}, failed: {reason}")

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
