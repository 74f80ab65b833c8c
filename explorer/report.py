"""What a search leaves behind: best.yaml, the front's networks, trials.csv, report.html, the plot, and the table."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from hiri_spec import SpecError
from hiri_spec.cost import CONVENTION
from hiri_spec.errors import Problem
from hiri_spec.files import to_yaml, write_text

from .plots import draw_png, load_libraries
from .results import GMACS, PARAMS, Member, SearchResult, find_misleading_macs
from .trials_frame import trials_csv


def front_table(result: SearchResult) -> Table:
    """The Pareto front, cheapest first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    # where a cost is the score, one column tells both
    scores = [] if result.is_by_cost else [result.score_name]
    times = ["ms"] if any(member.latency_ms is not None for member in result.front) else []
    for name in ("trial", "network", *scores, GMACS, PARAMS, *times):
        table.add_column(name, justify="left" if name == "network" else "right")
    misleading = find_misleading_macs(result.members)
    for member in result.front:
        is_best = member.number == result.best.number
        costs = f"{member.macs / 1e9:.3f}", f"{member.params / 1e6:.2f}"
        time = "–" if member.latency_ms is None else f"{member.latency_ms:.2f}"
        if member.number in misleading:
            time += f" ({misleading[member.number]:.1f} x for its MACs)"
        cells = (str(member.number), member.sketch, *([f"{member.score:.2f}"] if scores else []), *costs)
        table.add_row(*cells, *([time] if times else []), style="bold" if is_best else None)
    return table


def front_rows(result: SearchResult) -> list[dict[str, Any]]:
    """The Pareto front for JSON."""
    return [
        {
            "trial": member.number,
            "architecture": member.sketch,
            "score": member.score,
            "macs": member.macs,
            "params": member.params,
            "latency_ms": member.latency_ms,
            "file": str(result.out / "front" / member.file_name),
        }
        for member in result.front
    ]


def spec_text(result: SearchResult, member: Member) -> str:
    """A found network as YAML, with a comment that says where it comes from."""
    settings = ", ".join(f"{key} {value}" for key, value in result.settings.items() if value is not None)
    lines = [
        f"# Found by python -m explorer.search: trial {member.number} of {len(result.members)}.",
        f"# {member.sketch}: {member.macs / 1e9:.3f} GMACs, {member.params / 1e6:.2f} M params, "
        f"{result.score_name} {member.score:.4f}.",
        f"# {CONVENTION}." + (" The score needs no training and is no accuracy." if result.is_untrained else ""),
        f"# Search: {settings}.",
    ]
    return "\n".join(lines) + "\n" + to_yaml(member.spec)


def write_reports(result: SearchResult) -> None:
    """Write every file of a search anew, each whole or not at all; nothing if no trial is over.

    Where all of them failed, there is nothing to write but the table and the page.

    One that can't be written keeps no other from being written; raises SpecError that lists them at the end.
    """
    if not result.members and not result.failed and not result.stopped:
        return
    load_libraries()
    out, front = result.out, {member.file_name: member for member in result.front}
    writers: list[Callable[[], object]] = [lambda: write_text(out / "trials.csv", trials_csv(result))]
    writers += [
        partial(_write_table, out / f"trials-{number}.csv", level) for number, level in enumerate(result.earlier, 1)
    ]
    if result.members:
        writers += [
            lambda: write_text(out / "best.yaml", spec_text(result, result.best)),
            lambda: _clear_front(out / "front", front),
            *(partial(_write_spec, out / "front" / name, result, member) for name, member in front.items()),
            lambda: draw_png(out / "pareto.png", result),
        ]
    writers.append(result.report)
    problems: list[Problem] = []
    for write in writers:
        try:
            write()
        except SpecError as error:
            # what they advise, another place, is not to be had for one file of a folder
            problems += [replace(each, message=each.message.partition(";")[0]) for each in error.problems]
    if problems:
        message = f"not all files could be written, but all {len(result.members)} trials are kept; make room or move "
        message += "what is in the way, and run the same command again"
        raise SpecError([*problems, Problem(message, "--out", code="unwritable")])


def _write_table(path: Path, result: SearchResult) -> None:
    write_text(path, trials_csv(result))


def _write_spec(path: Path, result: SearchResult, member: Member) -> None:
    if path.parent.is_dir():  # that it isn't has been told
        write_text(path, spec_text(result, member))


def _clear_front(folder: Path, wanted: Collection[str]) -> None:
    """Make the folder of the front, and take out of it what is on the front no longer."""
    try:
        folder.mkdir(exist_ok=True)
        for old in folder.glob("trial_*.yaml"):
            if old.name not in wanted:
                old.unlink()
    except OSError as error:
        place = error.filename or folder
        message = f"cannot be {'removed' if folder.is_dir() else 'made'}: {error.strerror or error}"
        raise SpecError(Problem(message, file=str(place), code="unwritable")) from None
