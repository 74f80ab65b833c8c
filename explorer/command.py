"""The command line of the search."""

from __future__ import annotations

import json
import sys
import textwrap
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from hiri_spec.command_line import JsonOption, SetOption, console, run_app
from hiri_spec.cost import CONVENTION
from hiri_spec.errors import SpecError
from hiri_spec.files import parse_assignments
from hiri_spec.quantities import format_resolution

from .evaluators import EVALUATORS
from .interrupts import undivided
from .results import Failed, Member, SearchResult
from .search import DEFAULT_TRIALS, Started, Watcher, search
from .space import Space

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PLAIN_SECONDS = 10.0


class Screen(Watcher):
    """Shows how a search goes on stderr: a live bar on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._progress: Any = None
        self._task: Any = None
        self._last = 0.0
        self._trials = 0
        self.result: SearchResult | None = None

    def opened(self, space: Space) -> None:
        """Say how large the space is."""
        self._console.print(f"space: {_shown(space.file)}, {_short(space.size)} networks")

    def started(self, start: Started) -> None:
        """Say how rare what is looked for is, and open the bar."""
        self._trials = start.trials
        feasibility, budget = start.feasibility, start.budget
        limits = f"{budget.least_macs / 1e9:.4g} to {budget.macs / 1e9:.4g} GMACs"
        if budget.max_params is not None:
            limits += f" and at most {budget.max_params / 1e6:g} M params"
        print_line = self._console.print
        print_line(f"budget: {limits} at {format_resolution(start.resolution)} px; {CONVENTION}")
        print_line(
            f"of {feasibility.draws:,} raw draws {feasibility.valid:.1%} are networks in order, "
            f"{feasibility.feasible:.1%} are within the budget too; every candidate is fitted to it before it is built"
        )
        print_line(f"results: {start.out}")
        if start.dropped_bytes:
            print_line(f"an unfinished last line of {start.dropped_bytes} bytes was cut off the journal")
        if start.finished:
            print_line(f"going on after {start.finished} finished trials")
        if self._console.is_terminal:
            self._open_bar(start)

    def _open_bar(self, start: Started) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            ProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.text import Text

        class Best(ProgressColumn):
            """The best so far, which gives way where the terminal is narrow; the other columns stay whole."""

            def render(self, task: Any) -> Text:
                return Text(task.fields["best"], no_wrap=True, overflow="ellipsis")

        self._progress = Progress(
            TextColumn("searching"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            Best(),
            console=self._console,
            transient=True,
        )
        self._progress.start()
        self._task = self._progress.add_task("", total=start.trials, completed=start.finished, best="")

    def tried(self, member: Member, best: Member) -> None:
        """Move on, with the best so far."""
        line = f"best {best.score:.2f}: {best.sketch}, {best.macs / 1e9:.3f} GMACs (trial {best.number})"
        if self._progress is not None:
            self._progress.update(self._task, advance=1, best=line)
        elif time.monotonic() - self._last > PLAIN_SECONDS or not self._last:
            self._console.print(f"{member.number + 1}/{self._trials} {line}")
            self._last = time.monotonic()

    def failed(self, failed: Failed) -> None:
        """Tell why a trial has no score."""
        self._console.print(f"trial {failed.number} failed: {failed.reason} ({_shown(str(failed.file))})")

    def noted(self, message: str) -> None:
        """Tell what may be worth knowing."""
        self._console.print(message, soft_wrap=True, markup=False)

    def ended(self, result: SearchResult) -> None:
        """Keep what was found, which is printed however the rest goes."""
        self.close()
        if result.was_interrupted and self.result is None and result.trials:
            self._console.print("stopped, writing results …")
        self.result = result

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _shown(file: str) -> str:
    path = Path(file).resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _short(size: int) -> str:
    return f"{size:,}" if size < 10**6 else f"{float(size):.1e}"


def _list_evaluators() -> str:
    """Each evaluator with what it tells, in lines that typer leaves as they are."""
    lines = [
        textwrap.fill(entry.description, 78, initial_indent=f"  {name:10}", subsequent_indent=" " * 12)
        for name, entry in EVALUATORS.items()
    ]
    return "\n".join(["\b", "Evaluators:", *lines])


EXAMPLE = "Example: python -m explorer.search --budget 5gflops --max-params 35m --stages 5 --trials 100"


@app.command(
    epilog=f"{_list_evaluators()}\n\n{EXAMPLE}",
    help="Search a space for networks within a budget. The same command goes on where it stopped.",
)
def command(
    budget: Annotated[str, typer.Option(metavar="MACS", help="Most MACs: 5gflops, 5gmacs or 5e9.")],
    resolution: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Image size, e.g. 448 or 512x1024; by default the space's.")
    ] = None,
    stages: Annotated[str | None, typer.Option(metavar="N,N", help="Numbers of stages, e.g. 4,5,6.")] = None,
    trials: Annotated[int, typer.Option(metavar="N", help="Networks to evaluate in all.")] = DEFAULT_TRIALS,
    space: Annotated[str | None, typer.Option(metavar="FILE", help="A spec with choices in it.")] = None,
    max_params: Annotated[str | None, typer.Option(metavar="N", help="Most parameters, e.g. 35m.")] = None,
    objective: Annotated[
        str, typer.Option(metavar="pareto|score", help="Score up and cost down, or score alone.")
    ] = "pareto",
    evaluator: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="One of those below, or your own: package.module:function, or file.py:function."
        ),
    ] = "zico",
    set: SetOption = None,
    out: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Where everything goes; by default in runs/.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Decides everything that is drawn.")] = 0,
    data: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="What train trains on: digits, finegrain, a folder.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(metavar="N", min=1, help="How long train trains.")] = None,
    recipe: Annotated[str | None, typer.Option(metavar="FILE|NAME", help="By what train trains.")] = None,
    workers: Annotated[int, typer.Option(metavar="N", help="Networks to evaluate at the same time.")] = 1,
    trial_timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="Give an evaluation up after this, e.g. 90s or 10m.")
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Share the study in a database: postgresql://user@host/database; env: what EXPLORER_STORAGE holds.",
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its name there; by default named after the search.")
    ] = None,
    heartbeat: Annotated[
        str | None, typer.Option(metavar="TIME", help="How often its processes show that they live; by default 15s.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the search and print its front."""
    screen = Screen()
    failure: Exception | None = None
    try:
        search(
            budget,
            resolution=resolution,
            stages=stages,
            trials=trials,
            space=space,
            max_params=max_params,
            objective=objective,
            evaluator=evaluator,
            set=parse_assignments(set or []),
            out=out,
            seed=seed,
            data=data,
            epochs=epochs,
            recipe=recipe,
            workers=workers,
            trial_timeout=trial_timeout,
            storage=storage,
            study=study,
            heartbeat=heartbeat,
            watcher=screen,
        )
    except Exception as error:
        # told once what was found is on the screen
        failure = error
    finally:
        screen.close()
    with undivided():  # it takes no time, and whoever is impatient wants to read it all the same
        if screen.result is not None:
            _tell(screen.result, failure, as_json)
    if failure is not None:
        raise failure
    if screen.result is not None and screen.result.was_interrupted:
        raise typer.Exit(130)


def _tell(result: SearchResult, failure: Exception | None, as_json: bool) -> None:
    """Print what was found, however the search ended, and why it ended if it wasn't an error."""
    count = f"{len(result.trials)} trials"
    if result.trials or failure is None:
        problems = failure.problems if isinstance(failure, SpecError) else ()
        _print_result(result, as_json, is_written=all(problem.code != "unwritable" for problem in problems))
    if failure is None and result.was_interrupted:
        ending = f"; {result.ending}" if result.ending else ""
        sys.stderr.write(f"stopped; {count} are kept in {result.out}{ending}. Same command to go on.\n")
    elif failure is None and result.ending:
        sys.stderr.write(f"ended after {count}: {result.ending}\n")


def _print_result(result: SearchResult, as_json: bool, is_written: bool) -> None:
    from .report import front_rows, front_table

    if as_json:
        sys.stdout.write(
            json.dumps(
                {
                    "settings": dict(result.settings),
                    "convention": CONVENTION,
                    "out": str(result.out),
                    "trials": len(result.trials),
                    "was_interrupted": result.was_interrupted,
                    "ending": result.ending,
                    "best": result.best.number if result.trials else None,
                    "front": front_rows(result),
                },
                indent=2,
            )
            + "\n"
        )
    elif result.trials:
        out = console()
        out.print(front_table(result))
        best = result.out / "best.yaml" if is_written else f"trial {result.best.number}"
        out.print(f"\nthe front of {len(result.trials)} trials; best: {best}", soft_wrap=True)


def main() -> None:
    """Run the command line."""
    run_app(app)
