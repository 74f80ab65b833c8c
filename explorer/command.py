"""The command line of the search."""

from __future__ import annotations

import json
import sys
import textwrap
from typing import Annotated

import typer

from hiri_spec.command_line import JsonOption, SetOption, console, run_app
from hiri_spec.cost import CONVENTION
from hiri_spec.errors import SpecError
from hiri_spec.files import parse_assignments

from .dashboard import require_dashboard
from .evaluators import EVALUATORS
from .interrupts import undivided
from .names import DEFAULT_EVALUATOR, DEFAULT_PRUNER, DEFAULT_SAMPLER, PRUNER_NAMES, SAMPLER_NAMES
from .results import SearchResult
from .screen import Screen
from .search import DEFAULT_TRIALS, search
from .survey_command import COST_ONLY, run_survey

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
    trials: Annotated[
        int | None, typer.Option(metavar="N", help=f"Networks to evaluate in all; by default {DEFAULT_TRIALS}.")
    ] = None,
    space: Annotated[
        str | None, typer.Option(metavar="FILE|NAME", help="A spec with choices, or hiri or small.")
    ] = None,
    max_params: Annotated[str | None, typer.Option(metavar="N", help="Most parameters, e.g. 35m.")] = None,
    objective: Annotated[
        str,
        typer.Option(
            metavar="pareto|score|latency|cost-only",
            help="Score up and MACs down; score alone; score up and time down; or what the budget allows, unscored.",
        ),
    ] = "pareto",
    evaluator: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="One of those below, or your own: package.module:function, or file.py:function."
        ),
    ] = DEFAULT_EVALUATOR,
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
    sampler: Annotated[
        str, typer.Option(metavar="NAME", help=f"What draws networks: {', '.join(SAMPLER_NAMES)}.")
    ] = DEFAULT_SAMPLER,
    pruner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"What stops hopeless trainings: {', '.join(PRUNER_NAMES)}; by default {DEFAULT_PRUNER}.",
        ),
    ] = None,
    max_latency: Annotated[
        str | None, typer.Option(metavar="TIME", help="Score no network that is slower, timed here, e.g. 20ms.")
    ] = None,
    device: Annotated[str | None, typer.Option(metavar="cpu|cuda", help="Where networks are timed.")] = None,
    then: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N:NAME",
            help="Evaluate the best N further, by another evaluator, e.g. 20:train,epochs=5; may be repeated.",
        ),
    ] = None,
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
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Open optuna-dashboard on the study; it stays until Ctrl-C.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the search and print its front."""
    changes = parse_assignments(set or [])
    if objective == COST_ONLY:
        others = {
            "--evaluator": evaluator != DEFAULT_EVALUATOR,
            "--then": bool(then),
            "--max-latency": max_latency is not None,
            "--pruner": pruner is not None,
            "--sampler": sampler != DEFAULT_SAMPLER,
            "--storage": storage is not None,
            "--dashboard": dashboard,
            "--data": data is not None,
            "--epochs": epochs is not None,
            "--recipe": recipe is not None,
            "--device": device is not None,
            "--workers": workers != 1,
            "--trial-timeout": trial_timeout is not None,
            "--study": study is not None,
            "--heartbeat": heartbeat is not None,
        }
        return run_survey(
            budget,
            resolution=resolution,
            stages=stages,
            trials=trials,
            space=space,
            max_params=max_params,
            set=changes,
            out=out,
            seed=seed,
            as_json=as_json,
            others=others,
        )
    if dashboard:
        require_dashboard()
    screen = Screen(with_dashboard=dashboard, storage=storage, is_by_latency=objective == "latency")
    failure: Exception | None = None
    try:
        search(
            budget,
            resolution=resolution,
            stages=stages,
            trials=DEFAULT_TRIALS if trials is None else trials,
            space=space,
            max_params=max_params,
            objective=objective,
            evaluator=evaluator,
            set=changes,
            out=out,
            seed=seed,
            data=data,
            epochs=epochs,
            recipe=recipe,
            sampler=sampler,
            pruner=pruner,
            max_latency=max_latency,
            device=device,
            then=then or (),
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
    try:
        with undivided():  # it takes no time, and whoever is impatient wants to read it all the same
            if screen.result is not None:
                _tell(screen.result, failure, as_json)
        if failure is not None:
            raise failure
        if screen.result is not None and screen.result.was_interrupted:
            raise typer.Exit(130)
        sys.stdout.flush()
        screen.stay()
    finally:
        screen.leave()


def _tell(result: SearchResult, failure: Exception | None, as_json: bool) -> None:
    """Print what was found, however the search ended, and why it ended if it wasn't an error."""
    count = f"{len(result.members)} trials"
    if result.members or failure is None:
        problems = failure.problems if isinstance(failure, SpecError) else ()
        _print_result(result, as_json, is_written=all(problem.code != "unwritable" for problem in problems))
    if failure is None and result.was_interrupted:
        ending = f"; {result.ending}" if result.ending else ""
        sys.stderr.write(f"stopped; {count} are kept in {result.out}{ending}. Same command to go on.\n")
    elif failure is None and result.ending:
        sys.stderr.write(f"ended after {count}: {result.ending}\n")
    elif failure is None and not result.members and result.stopped:
        last = result.stopped[-1]
        message = (
            f"no network has a score: all {len(result.stopped)} trials were stopped, the last because {last.reason}"
        )
        sys.stderr.write(f"{message}\n")


def _print_result(result: SearchResult, as_json: bool, is_written: bool) -> None:
    from .report import front_rows, front_table

    if as_json:
        sys.stdout.write(
            json.dumps(
                {
                    "command": result.command,
                    "settings": dict(result.settings),
                    "convention": CONVENTION,
                    "out": str(result.out),
                    "trials": len(result.members),
                    "failed": [{"trial": failed.number, "reason": failed.reason} for failed in result.failed],
                    "was_interrupted": result.was_interrupted,
                    "ending": result.ending,
                    "report": str(result.out / "report.html"),
                    "best": result.best.number if result.members else None,
                    "front": front_rows(result),
                },
                indent=2,
            )
            + "\n"
        )
    elif result.members:
        out = console()
        out.print(front_table(result))
        best = result.out / "best.yaml" if is_written else f"trial {result.best.number}"
        page = f"; all of it: {result.out / 'report.html'}" if is_written else ""
        out.print(f"\nthe front of {len(result.members)} trials; best: {best}{page}", soft_wrap=True, markup=False)


def main() -> None:
    """Run the command line."""
    run_app(app)
