"""Every trial of a search as a table of pandas, which is trials.csv as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

    from .results import Failed, Member, SearchResult

COLUMNS = {
    "number": "int64",
    "state": "object",
    "score": "float64",
    "macs": "int64",
    "params": "int64",
    "seconds": "float64",
    "latency_ms": "float64",
    "stages": "int64",
    "architecture": "object",
    "on_front": "bool",
    "reason": "object",
}
PREFIX = "params_"
"""Before the name of a parameter of the space, as in Optuna's own tables; no other column begins with it."""
COMPLETE = "complete"


def trials_frame(result: SearchResult) -> DataFrame:
    """One row a trial, by number: COLUMNS, then one column for each parameter of the space.

    `state` is complete, failed or stopped; where it isn't complete there is no score, and `reason` says why. There is a
    latency where networks are timed. A parameter that has no say in a network has no value there.
    """
    import pandas

    front = {member.number for member in result.front}
    rows = [_row(member, on_front=member.number in front) for member in result.members]
    rows += [_row(failed, on_front=False) for failed in (*result.failed, *result.stopped)]
    rows.sort(key=lambda row: row["number"])
    frame = pandas.DataFrame(rows, columns=[*COLUMNS, *(PREFIX + name for name in result.parameters)])
    frame = frame.astype({name: kind for name, kind in COLUMNS.items() if kind != "object"})
    # whole numbers stay whole where some networks have no value
    return frame.astype({PREFIX + name: kind for name in result.parameters if (kind := _kind(result, name))})


def trials_csv(result: SearchResult) -> str:
    """The table as CSV."""
    return result.trials.to_csv(index=False, lineterminator="\n")


def _row(trial: Member | Failed, *, on_front: bool) -> dict[str, Any]:
    facts = {
        "number": trial.number,
        "state": getattr(trial, "state", COMPLETE),
        "score": getattr(trial, "score", float("nan")),
        "macs": trial.macs,
        "params": trial.params,
        "seconds": getattr(trial, "seconds", float("nan")),
        "latency_ms": getattr(trial, "latency_ms", None),
        "stages": len(trial.spec.stages),
        "architecture": trial.sketch,
        "on_front": on_front,
        "reason": getattr(trial, "reason", ""),
    }
    return facts | {PREFIX + name: value for name, value in trial.values.items()}


def _kind(result: SearchResult, name: str) -> str | None:
    """The type of a parameter's column, if it is one that pandas would not find by itself."""
    kinds = {type(value) for value in result.parameters[name].labels}
    return {frozenset({int}): "Int64", frozenset({bool}): "boolean"}.get(frozenset(kinds))
