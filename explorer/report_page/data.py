"""What the page of a search shows, as plain data for its scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hiri_spec import cost
from hiri_spec.cost import CONVENTION
from hiri_spec.draw import draw_svg
from hiri_spec.files import to_yaml
from hiri_spec.tables import format_shape

from .curves import Point, best_so_far, dominated_shares
from .importances import BEST_SHARE, FEWEST_TRIALS, best_share, importances

if TYPE_CHECKING:
    from ..choices import Parameter
    from ..results import Failed, Member, SearchResult

MOST_DETAILED = 150
"""Networks whose drawing and cost by stage are in the page: some 10 kB each."""
MOST_IMPORTANCES = 12
"""Parameters that are told by name; the others are told as a sum."""


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
        "failed": [_failed(failed) for failed in result.failed],
        "bestSoFar": best_so_far([member.score for member in members]),
        "dominated": _dominated(result),
        "importances": _importances(result),
    }


def title(result: SearchResult) -> str:
    """What was searched, in a line."""
    budget, resolution = result.settings.get("budget"), result.settings.get("resolution")
    count = f"{len(result.members)} network{'s' * (len(result.members) != 1)}"
    return f"{count} within {budget / 1e9:g} GMACs at {resolution} px" if budget else count


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
    return [*facts, len(member.spec.stages), member.sketch, widths, to_yaml(member.spec), values]


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


def _feasibility(result: SearchResult) -> dict[str, Any] | None:
    known = result.feasibility
    return None if known is None else {"draws": known.draws, "valid": known.valid, "feasible": known.feasible}


def _dominated(result: SearchResult) -> list[float]:
    points = [Point(member.score, member.macs) for member in result.members]
    most = max((member.macs for member in result.members), default=0)
    return [round(share, 6) for share in dominated_shares(points, result.settings.get("budget") or most)]


def _importances(result: SearchResult) -> dict[str, Any]:
    """The shares of the first MOST_IMPORTANCES and of the rest, or why there are none."""
    members = result.members
    shares = list(importances(members, result.parameters).items())
    if not shares:
        few = f"it takes {FEWEST_TRIALS} finished trials, there are {len(members)}"
        alike = "all scores are the same, or no parameter sets the best apart from the rest"
        return {"shares": [], "note": few if len(members) < FEWEST_TRIALS else alike}
    named, others = shares[:MOST_IMPORTANCES], shares[MOST_IMPORTANCES:]
    more = f"; {len(others)} others have {sum(share for _, share in others):.0%} together" if others else ""
    share = best_share(len(members))
    unsure = "; of so few trials a hint at most" if share > BEST_SHARE else ""
    note = f"what sets the best {share:.0%} apart from all, by PED-ANOVA (Watanabe et al. 2023){more}{unsure}"
    return {"shares": [list(each) for each in named], "note": note}


def _ending(result: SearchResult) -> str:
    parts: Sequence[str] = [*(["interrupted"] if result.was_interrupted else []), result.ending]
    return "; ".join(part for part in parts if part)
