"""Results of searches to be shown: as large, as small and as odd as they come."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from explorer.results import Failed, SearchResult, pareto_front

NASTY = "</script><img src=x onerror=\"document.title='caught'\"><!--<script>&amp;"
"""A text that breaks out of whatever reads it as HTML."""


def with_trials(found: SearchResult, count: int) -> SearchResult:
    """A result of so many trials, made of the networks of another."""
    rng = random.Random(0)
    members = tuple(
        replace(
            member,
            number=number,
            score=member.score * rng.uniform(100, 200),
            macs=member.macs - rng.randrange(100_000),
            spec=member.spec.model_copy(update={"name": f"small_{number}"}),
        )
        for number, member in ((number, found.members[number % len(found.members)]) for number in range(count))
    )
    return replace(found, members=members, front=pareto_front(members), score_name="ZiCo score")


def with_nasty_texts(found: SearchResult) -> SearchResult:
    """A result with NASTY wherever a user's text may come in, and a failed trial."""
    members = tuple(
        replace(member, spec=member.spec.model_copy(update={"description": NASTY})) for member in found.members
    )
    first = members[0]
    failed = Failed(99, NASTY, Path(f"failed-{NASTY}"), first.spec, first.macs, first.params, first.values)
    return replace(
        found,
        members=members,
        front=pareto_front(members),
        failed=(failed,),
        score_name=f"mine {NASTY}",
        settings={**found.settings, "evaluator": NASTY, "space": NASTY},
        command=f"python -m explorer.search --evaluator '{NASTY}'",
        ending=NASTY,
    )
