"""What a search leaves behind: best.yaml, the front's networks, trials.csv, the plots, and the table on screen."""

from __future__ import annotations

import csv
import io
from typing import Any

from rich import box
from rich.table import Table

from hiri_spec import SpecError
from hiri_spec.cost import CONVENTION
from hiri_spec.errors import Problem
from hiri_spec.files import to_yaml, write_text

from .plots import draw_html, draw_png
from .results import Member, SearchResult

COLUMNS = ("trial", "score", "gmacs", "params_m", "stages", "architecture", "seconds", "on_front")


def front_table(result: SearchResult) -> Table:
    """The Pareto front, cheapest first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("trial", "network", result.score_name, "GMACs", "params M"):
        table.add_column(name, justify="left" if name == "network" else "right")
    for member in result.front:
        is_best = member.number == result.best.number
        cells = (
            str(member.number),
            member.sketch,
            f"{member.score:.2f}",
            f"{member.macs / 1e9:.3f}",
            f"{member.params / 1e6:.2f}",
        )
        table.add_row(*cells, style="bold" if is_best else None)
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
            "file": str(result.out / "front" / file_name(member)),
        }
        for member in result.front
    ]


def trials_csv(result: SearchResult) -> str:
    """Every trial, one line each, with the values of the parameters that had a say."""
    front = {member.number for member in result.front}
    names = list(dict.fromkeys(name for member in result.trials for name in member.values))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [*COLUMNS, *names], lineterminator="\n")
    writer.writeheader()
    for member in result.trials:
        facts = {
            "trial": member.number,
            "score": repr(member.score),
            "gmacs": f"{member.macs / 1e9:.6f}",
            "params_m": f"{member.params / 1e6:.6f}",
            "stages": len(member.spec.stages),
            "architecture": member.sketch,
            "seconds": member.seconds,
            "on_front": int(member.number in front),
        }
        writer.writerow(facts | member.values)
    return stream.getvalue()


def file_name(member: Member) -> str:
    """File of a network of the front."""
    return f"trial_{member.number:05d}.yaml"


def spec_text(result: SearchResult, member: Member) -> str:
    """A found network as YAML, with a comment that says where it comes from."""
    settings = ", ".join(f"{key} {value}" for key, value in result.settings.items() if value is not None)
    lines = [
        f"# Found by python -m explorer.search: trial {member.number} of {len(result.trials)}.",
        f"# {member.sketch}: {member.macs / 1e9:.3f} GMACs, {member.params / 1e6:.2f} M params, "
        f"{result.score_name} {member.score:.4f}.",
        f"# {CONVENTION}. The score needs no training and is no accuracy.",
        f"# Search: {settings}.",
    ]
    return "\n".join(lines) + "\n" + to_yaml(member.spec)


def write_reports(result: SearchResult) -> None:
    """Write every file of a search anew, each whole or not at all; nothing if no trial is finished."""
    if not result.trials:
        return
    write_text(result.out / "trials.csv", trials_csv(result))
    write_text(result.out / "best.yaml", spec_text(result, result.best))
    folder = result.out / "front"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError(
            Problem(f"{folder} cannot be made: {reason}; move it away", "--out", code="unwritable")
        ) from None
    wanted = {file_name(member): member for member in result.front}
    for name, member in wanted.items():
        write_text(folder / name, spec_text(result, member))
    for old in folder.glob("trial_*.yaml"):
        if old.name not in wanted:
            old.unlink()
    draw_png(result.out / "pareto.png", result)
    draw_html(result.out / "pareto.html", result)
