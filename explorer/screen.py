"""How a search goes, on stderr: a live bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from hiri_spec.command_line import console
from hiri_spec.cost import CONVENTION
from hiri_spec.quantities import format_resolution

from .dashboard import Dashboard
from .names import JOURNAL
from .pace import Pace
from .results import Failed, Member, SearchResult, latency_of, macs_of, pareto_front
from .space import Space
from .watching import Started, Watcher

PLAIN_SECONDS = 10.0
BAR_WIDTH = 12


class Screen(Watcher):
    """Shows how a search goes: trials, pace, time left, size of the front, failures and the best.

    `with_dashboard` starts optuna-dashboard too, which stays in `dashboard`: on `storage` where the search is shared.
    """

    def __init__(
        self, *, with_dashboard: bool = False, storage: str | None = None, is_by_latency: bool = False
    ) -> None:
        self._console = console(stderr=True)
        self._with_dashboard, self._storage = with_dashboard, storage
        self._cost = latency_of if is_by_latency else macs_of
        self.dashboard: Dashboard | None = None
        self._progress: Any = None
        self._task: Any = None
        self._last = 0.0
        self._trials = self._done = self._failures = self._stopped = 0
        self._front: tuple[Member, ...] = ()
        self._best: Member | None = None
        self._pace = Pace(time.monotonic())
        self.result: SearchResult | None = None

    def opened(self, space: Space) -> None:
        """Say how large the space is."""
        self._print(f"space: {_shown(space.file)}, {_short(space.size)} networks")

    def started(self, start: Started) -> None:
        """Say how rare what is looked for is, and open the bar."""
        self._trials, self._done, self._stopped = start.trials, len(start.finished) + start.stopped, start.stopped
        self._front = pareto_front(start.finished, self._cost)
        self._best = self._front[-1] if self._front else None
        self._pace = Pace(time.monotonic())
        feasibility, budget = start.feasibility, start.budget
        limits = f"{budget.least_macs / 1e9:.4g} to {budget.macs / 1e9:.4g} GMACs"
        if budget.max_params is not None:
            limits += f" and at most {budget.max_params / 1e6:g} M params"
        self._print(f"budget: {limits} at {format_resolution(start.resolution)} px; {CONVENTION}")
        self._print(
            f"of {feasibility.draws:,} raw draws {feasibility.valid:.1%} are networks in order, "
            f"{feasibility.feasible:.1%} are within the budget too; every candidate is fitted to it before it is built"
        )
        self._print(f"results: {start.out}")
        if start.dropped_bytes:
            self._print(f"an unfinished last line of {start.dropped_bytes} bytes was cut off the journal")
        if start.finished:
            self._print(f"going on after {self._done} finished trials")
        if self._with_dashboard:
            self._open_dashboard(self._storage or str(start.out / JOURNAL))
        if self._console.is_terminal:
            self._open_bar()

    def _open_dashboard(self, storage: str) -> None:
        self.dashboard = Dashboard(storage)
        self._print(f"dashboard: {self.dashboard.address}")
        self.dashboard.open_browser()

    def _open_bar(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn
        from rich.text import Text

        class How(ProgressColumn):
            """What is known so far, in the room there is: the best, at the end, gives way on a narrow terminal."""

            def render(self, task: Any) -> Text:
                return Text(task.fields["how"], no_wrap=True, overflow="ellipsis")

        self._progress = Progress(
            BarColumn(bar_width=BAR_WIDTH), MofNCompleteColumn(), How(), console=self._console, transient=True
        )
        self._progress.start()
        self._task = self._progress.add_task("", total=self._trials, completed=self._done, how="searching")

    def tried(self, member: Member, best: Member) -> None:
        """Move on, with the best so far."""
        self._front = pareto_front([*self._front, member], self._cost)
        self._move_on(best)

    def halted(self, stopped: Failed) -> None:
        """Move on: what was not worth going on with is over too."""
        self._stopped += 1
        self._move_on(None)

    def _move_on(self, best: Member | None) -> None:
        self._done += 1
        self._best = best or self._best
        self._pace.finished(time.monotonic())
        self._show()

    def _show(self) -> None:
        best, line = self._best, ", ".join(self._figures())
        if best is not None:
            line += f", best {best.score:.2f}: {best.sketch}"
        if self._progress is not None:
            self._progress.update(self._task, completed=self._done, how=line)
        elif time.monotonic() - self._last > PLAIN_SECONDS or not self._last:
            where = "" if best is None else f", {best.macs / 1e9:.3f} GMACs (trial {best.number})"
            self._print(f"{self._done}/{self._trials}, {line}{where}")
            self._last = time.monotonic()

    def _figures(self) -> list[str]:
        left = self._pace.left(max(0, self._trials - self._done))
        told = [self._pace.rate(), f"{left} left", f"front {len(self._front)}"]
        counts = {"stopped early": self._stopped, "failed": self._failures}
        return [*told, *(f"{count} {what}" for what, count in counts.items() if count)]

    def failed(self, failed: Failed) -> None:
        """Tell why a trial has no score."""
        self._failures += 1
        self._print(f"trial {failed.number} failed: {failed.reason} ({_shown(str(failed.file))})")

    def narrowed(self, evaluator: str, networks: int, finished: int) -> None:
        """Begin the count anew, for the evaluator that the best get."""
        self.close()
        self._print(f"then {evaluator} for the best {networks}")
        self._trials, self._done, self._stopped, self._front = networks, min(finished, networks), 0, ()
        self._best, self._last = None, 0.0
        self._pace = Pace(time.monotonic())
        if self._console.is_terminal:
            self._open_bar()

    def noted(self, message: str) -> None:
        """Tell what may be worth knowing."""
        self._console.print(message, soft_wrap=True, markup=False)

    def ended(self, result: SearchResult) -> None:
        """Keep what was found, which is printed however the rest goes."""
        self.close()
        if result.was_interrupted and self.result is None and result.members:
            self._print("stopped, writing results …")
        self.result = result

    def stay(self) -> None:
        """Where there is a dashboard, until Ctrl-C."""
        if self.dashboard is not None:
            try:
                self._print(f"dashboard: {self.dashboard.address} stays until Ctrl-C")
                status = self.dashboard.wait()
            except KeyboardInterrupt:
                return
            self._print(f"the dashboard's process has ended with status {status}")

    def leave(self) -> None:
        """End the dashboard, if there is one."""
        if self.dashboard is not None:
            self.dashboard.close()

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _print(self, line: str) -> None:
        # what users have written, names of files and reasons of failures above all, is no markup
        self._console.print(line, markup=False)


def _shown(file: str) -> str:
    path = Path(file).resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _short(size: int) -> str:
    return f"{size:,}" if size < 10**6 else f"{float(size):.1e}"
