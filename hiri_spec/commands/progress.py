"""How far a command is, on stderr: a live bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import Any, Self

from ..command_line import console
from ..quantities import format_rate

PLAIN_SECONDS = 10.0


class ImageProgress:
    """Counts images, within the `with`."""

    def __init__(self, total: int) -> None:
        self._console = console(stderr=True)
        self._total, self._done = total, 0
        self._began = self._last = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            speed = TextColumn("images{task.fields[speed]},")
            left = TextColumn("left")
            self._bar = Progress(
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                speed,
                TimeRemainingColumn(),
                left,
                console=self._console,
                transient=True,
            )
            self._bar.add_task("", total=self._total, speed="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: int) -> None:
        """So many images more are done."""
        self._done += count
        now = time.monotonic()
        speed = self._done / max(now - self._began, 1e-9)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done, speed=f", {format_rate(speed)}/s")
        elif now - self._last > PLAIN_SECONDS:
            seconds_left = (self._total - self._done) / speed if speed else 0.0
            line = f"{self._done:,} of {self._total:,} images, {format_rate(speed)}/s, about {seconds_left:.0f} s left"
            self._console.print(line, soft_wrap=True, markup=False)
            self._last = now
