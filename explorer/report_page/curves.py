"""What a search had reached after each of its trials."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class Point(NamedTuple):
    """A network as the front sees it: a score, the higher the better, and a cost, the lower the better."""

    score: float
    cost: float


def best_so_far(scores: Sequence[float]) -> list[float]:
    """The highest score up to each trial."""
    return list(accumulate(scores, max))


def dominated_shares(points: Sequence[Point], most_cost: float) -> list[float]:
    """How much of the box between the worst and the best of all points the front dominates after each of them, 0 to 1.

    It is the hypervolume whose reference point is the lowest score and `most_cost`, over that of the point that would
    beat all. The box of points that are all alike in score or in cost has no area; then it is 0 throughout.
    """
    if not points:
        return []
    worst, best = min(point.score for point in points), max(point.score for point in points)
    box = (best - worst) * (most_cost - min(point.cost for point in points))
    shares: list[float] = []
    front: list[Point] = []
    for point in points:
        if not any(other.score >= point.score and other.cost <= point.cost for other in front):
            front = [other for other in front if other.score > point.score or other.cost < point.cost]
            front = sorted([*front, point], key=lambda other: other.cost)
            area = _area(front, Point(worst, most_cost))
        shares.append(area / box if box > 0 else 0.0)
    return shares


def _area(front: Sequence[Point], reference: Point) -> float:
    """What a front, cheapest first, dominates this side of a reference point."""
    ends = [*(point.cost for point in front[1:]), reference.cost]
    return sum(
        (point.score - reference.score) * max(0.0, end - point.cost) for point, end in zip(front, ends, strict=True)
    )
