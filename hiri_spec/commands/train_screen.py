"""What `hiri-spec train` shows on stderr while it goes: a live bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ..command_line import console
from ..quantities import format_amount, format_count, format_rate
from ..train.watcher import Started, Stepped, Watcher

PLAIN_SECONDS = 10.0


class Screen(Watcher):
    """Shows a run; the processes beside the first one say nothing."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._is_silent = int(os.environ.get("RANK", "0")) > 0
        self._progress: Any = None
        self._task: Any = None
        self._start: Started | None = None
        self._accuracy = ""
        self._last = float("-inf")
        self._began, self._first = 0.0, 0

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def noted(self, text: str) -> None:
        """Something about the run that its user should know."""
        self._print(f"note: {text}")

    def started(self, start: Started) -> None:
        """Say what is trained, and open the bar."""
        self._start, self._began, self._first = start, time.monotonic(), start.steps
        where = start.device if start.processes == 1 else f"{start.processes} processes, {start.device}"
        self._print(f"{start.network}: {format_amount(start.params)} parameters, {start.size}; on {where}")
        self._print(
            f"{start.data}: {start.train_images:,} images to train on, {start.validation_images:,} held out; "
            + ("1 process reads them" if start.workers == 1 else f"{start.workers} processes read them")
        )
        total = start.epochs * start.steps_per_epoch
        steps = f"{format_count(total, 'step')} of {format_count(start.batch_size, 'image')}"
        average = "" if start.distillation == "none" else f"; {start.distillation}"
        self._print(f"{start.recipe}: {format_count(start.epochs, 'epoch')}, {steps}{average}")
        self._print(f"results: {start.out}")
        if start.steps:
            self._print(f"going on after step {start.steps:,}")
        if self._console.is_terminal and not self._is_silent:
            self._open_bar(start, total)

    def _open_bar(self, start: Started, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
        from rich.text import Text

        class State(ProgressColumn):
            """Loss and accuracies, which give way where the terminal is narrow; the other columns stay whole."""

            def render(self, task: Any) -> Text:
                return Text(task.fields["state"], no_wrap=True, overflow="ellipsis")

        self._progress = Progress(
            TextColumn("{task.fields[epoch]}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            State(),
            console=self._console,
            transient=True,
        )
        self._progress.start()
        self._task = self._progress.add_task("", total=total, completed=start.steps, epoch="", left="", state="")

    def stepped(self, step: Stepped) -> None:
        """Move on."""
        assert self._start is not None
        epoch = f"epoch {step.epoch}/{self._start.epochs}"
        total = self._start.epochs * self._start.steps_per_epoch
        left = (time.monotonic() - self._began) / (step.step - self._first) * (total - step.step)
        speed = f"{format_rate(step.images_per_s)} images/s, {_duration(left)} left"
        state = f"loss {step.loss:.3f}{self._accuracy}"
        if self._progress is not None:
            self._progress.update(self._task, completed=step.step, epoch=epoch, left=speed, state=state)
        elif time.monotonic() - self._last > PLAIN_SECONDS:
            self._print(f"{epoch}, step {step.step:,}/{total:,}, {speed}, {state}")
            self._last = time.monotonic()

    def evaluating(self, what: str) -> None:
        """Say so on the bar."""
        if self._progress is not None:
            self._progress.update(self._task, state=f"evaluating {what} …")

    def epoch_ended(self, row: dict[str, Any]) -> None:
        """A line that stays."""
        assert self._start is not None
        own, average = row[self._start.score], row[f"ema_{self._start.score}"]
        self._accuracy = "" if own is None else f", {self._start.score_label} {own:.2f} %"
        if average is not None:
            self._accuracy += f", EMA {average:.2f} %"
        speed = "" if row["images_per_s"] is None else f", {format_rate(row['images_per_s'])} images/s"
        unreadable = f", {format_count(row['unreadable'], 'image')} can't be read" if row["unreadable"] else ""
        self._print(f"epoch {row['epoch']}: loss {row['train_loss']:.4f}{self._accuracy}{speed}{unreadable}")
        self._last = time.monotonic()

    def saved(self, path: Path) -> None:
        """Checkpoints come and go in silence."""

    def _print(self, line: str) -> None:
        if not self._is_silent:
            self._console.print(line, soft_wrap=True, markup=False)


def _duration(seconds: float) -> str:
    """1:23:45, or 2:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
