"""What the page of a search shows, as plain data for its scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from hiri_spec import cost
from hiri_spec.cost import CONVENTION
from hiri_spec.draw import draw_svg
from hiri_spec.files import to_yaml
from hiri_spec.tables import format_shape

from ..results import latency_of, macs_of
from .curves import Point, best_so_far, dominated_shares
from .importances import BEST_SHARE, FEWEST_TRIALS, best_share, importances

if TYPE_CHECKING:
    from ..choices import Parameter
    from ..results import Failed, Member, SearchResult

MOST_DETAILED = 150
"""Networks whose drawing and cost by stage are in the page: some 10 kB each."""
MOST_IMPORTANCES = 12
"""Parameters that are told by name; the others are told as a sum."""
SMALLEST_IN_G = 10**8
"""MACs from which on they are told in billions."""


def page_data(result: SearchResult) -> dict[str, Any]:
    """Everything that the page shows, ready for JSON; trials are counted by their place among the finished ones."""
    members = result.members
    places = {member.number: place for place, member in enumerate(members)}
    detailed = choose_detailed(result)
    return {
        "title": title(result),
        "scoreName": result.score_name,
        "isUntrained": result.is_untrained,
        "isByCost": result.is_by_cost,
        "isByLatency": result.is_by_latency,
        "convention": CONVENTION,
        "command": result.command,
        "out": str(result.out),
        "ending": _ending(result),
        "settings": [[name, str(value)] for name, value in result.settings.items() if value is not None],
        "feasibility": _feasibility(result),
        "parameters": [{"name": name, "labels": each.labels} for name, each in result.parameters.items()],
        "trials": [_trial(member, result.parameters) for member in members],
        "front": [places[member.number] for member in result.front],
        "best": places[result.best.number] if members else None,
        "details": {places[member.number]: _detail(member) for member in detailed},
        "failed": [_failed(each) for each in sorted((*result.failed, *result.stopped), key=lambda each: each.number)],
        "earlier": [_earlier(level, members) for level in result.earlier],
        "bestSoFar": best_so_far([member.score for member in members]),
        "dominated": _dominated(result),
        "importances": _importances(result),
    }


def title(result: SearchResult) -> str:
    """What was searched, in a line."""
    return title_of(len(result.members), result.settings)


def title_of(networks: int, settings: Mapping[str, Any]) -> str:
    """The same of so many networks, and of a search of such settings."""
    budget, resolution = settings.get("budget"), settings.get("resolution")
    count = f"{networks:,} network{'s' * (networks != 1)}"
    if not budget:
        return count
    amount = f"{budget / 1e9:g} GMACs" if budget >= SMALLEST_IN_G else f"{budget / 1e6:g} MMACs"
    return f"{count} within {amount} at {resolution} px"


def choose_detailed(result: SearchResult) -> list[Member]:
    """Those whose drawing is in the page: the best, then the front, then the highest scores, MOST_DETAILED at most."""
    if not result.members:
        return []
    by_score = sorted(result.members, key=lambda member: (-member.score, member.macs, member.number))
    # of a front of hundreds, as one of costs alone has, some from everywhere
    step = max(1, -(-len(result.front) // (MOST_DETAILED // 2)))
    chosen = {member.number: member for member in (result.best, *result.front[::step], *result.front, *by_score)}
    return list(chosen.values())[:MOST_DETAILED]


def _trial(member: Member, parameters: Mapping[str, Parameter]) -> list[Any]:
    """One trial as a list, in the order that `scripts/page.js` names; a value is the place of its label, or -1."""
    values = [
        parameter.labels.index(member.values[name]) if name in member.values else -1
        for name, parameter in parameters.items()
    ]
    widths = " ".join(str(stage[-1].width) for stage in member.spec.stages)
    facts = [member.number, member.score, member.macs, member.params, round(member.seconds, 3)]
    latency_ms = None if member.latency_ms is None else round(member.latency_ms, 3)
    return [*facts, latency_ms, len(member.spec.stages), member.sketch, widths, to_yaml(member.spec), values]


def _detail(member: Member) -> dict[str, Any]:
    total = cost(member.spec)
    rows = [
        [row.name, row.kind, row.params, format_shape(row.output), row.macs, row.memory_bytes]
        for row in total.by_stage()
    ]
    return {"drawing": draw_svg(member.spec), "stages": rows, "file": member.file_name}


def _failed(failed: Failed) -> dict[str, Any]:
    file = failed.file.name if failed.file else ""
    facts = {"number": failed.number, "state": failed.state, "reason": failed.reason, "file": file}
    return facts | {"sketch": failed.sketch, "macs": failed.macs, "params": failed.params, "yaml": to_yaml(failed.spec)}


def _earlier(level: SearchResult, members: Sequence[Member]) -> dict[str, Any]:
    """An evaluator before the last: how many networks it scored, and those that went on in the order of `members`."""
    scores = {member.number: member.score for member in level.members}
    own = [scores.get(member.number) for member in members]
    return {"scoreName": level.score_name, "count": len(level.members), "scores": own}


def _feasibility(result: SearchResult) -> dict[str, Any] | None:
    known = result.feasibility
    return None if known is None else {"draws": known.draws, "valid": known.valid, "feasible": known.feasible}


def _dominated(result: SearchResult) -> list[float]:
    cost = latency_of if result.is_by_latency else macs_of
    limit = result.settings.get("max_latency_ms" if result.is_by_latency else "budget")
    costs = [cost(member) for member in result.members]
    most = limit or max((each for each in costs if isfinite(each)), default=0.0)
    points = [Point(member.score, min(each, most)) for member, each in zip(result.members, costs, strict=True)]
    return [round(share, 6) for share in dominated_shares(points, most)]


def _importances(result: SearchResult) -> dict[str, Any]:
    """The shares of the first MOST_IMPORTANCES and of the rest, or why there are none."""
    members = result.members
    shares = list(importances(members, result.parameters).items())
    if not shares:
        few = f"it takes {FEWEST_TRIALS} finished trials, there are {len(members)}"
        alike = "all scores are the same, or no parameter sets the best apart from the rest"
        return {"shares": [], "note": few if len(members) < FEWEST_TRIALS else alike}
    named, others = shares[:MOST_IMPORTANCES], shares[MOST_IMPORTANCES:]
    rest = 100 * sum(share for _, share in others)
    more = f"; {len(others)} more {'have' if len(others) > 1 else 'has'} {rest:.0f} %" if rest >= 1 else ""
    share = best_share(len(members))
    unsure = "; of so few trials a hint at most" if share > BEST_SHARE else ""
    note = f"what sets the best {100 * share:.0f} % apart from all, by PED-ANOVA (Watanabe et al. 2023){more}{unsure}"
    return {"shares": [list(each) for each in named], "note": note}


def _ending(result: SearchResult) -> str:
    parts: Sequence[str] = [*(["interrupted"] if result.was_interrupted else []), result.ending]
    return "; ".join(part for part in parts if part)
