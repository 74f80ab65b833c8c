"""The search for widths and depths within a budget that are nearest to a network's own proportions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log

from ..errors import SpecError
from .sizes import MacsOfDepths, Sizes

STEPS = 16
"""Factors tried for each doubling."""
MAX_DOUBLINGS = 64
DEPTH_DOUBLINGS = (-4, 2)
"""Range of the factor of all depths, in doublings; widths take what it leaves."""
DEPTH_WEIGHT = 0.1
"""How much a factor on all depths counts beside proportions that are off: widths are moved first, by a little …"""
AGAINST_WEIGHT = 1
"""… and by much, where depths would grow in a network that is to shrink, or the other way round."""

Values = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The widths and depths chosen, in the order of a network's sizes."""

    widths: Values
    depths: Values

    @classmethod
    def of(cls, sizes: Sizes) -> Choice:
        """Those that the network has."""
        return cls(tuple(size.value for size in sizes.widths), tuple(size.value for size in sizes.depths))


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the best within the budget, and the nearest MACs below and above it."""

    choice: Choice | None
    below: int | None
    above: int | None


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far values are from a common factor: the factor's logarithm, and what is left of each one's."""

    factor: float
    each: tuple[float, ...]

    @property
    def squares(self) -> float:
        """Sum of squares of what is left."""
        return sum([value * value for value in self.each])


def deviation(before: Sequence[int], after: Sequence[int]) -> Deviation:
    """How proportions differ, in logarithms."""
    logs = [log(new / old) for old, new in zip(before, after, strict=True)]
    mean = sum(logs) / len(logs) if logs else 0.0
    return Deviation(mean, tuple(value - mean for value in logs))


def search(sizes: Sizes, resolution: tuple[int, int], *, least: float, most: float) -> Found:
    """The widths and depths that cost `least` to `most` MACs with the smallest sum of three squares.

    They are, in logarithms: how far each width and depth is from a common factor (the mean of all), a tenth of the
    factor of the depths (all of it against the direction that the budget asks), and what is left of the budget.
    """
    own = Choice.of(sizes)
    is_to_shrink = sizes.cost(own.widths, resolution).at(own.depths) > most
    count = len(own.widths) + len(own.depths)
    depths = []
    for values in _all_depths(own.depths):
        off = deviation(own.depths, values)
        weight = AGAINST_WEIGHT if (off.factor > 0) == is_to_shrink else DEPTH_WEIGHT
        depths.append((values, off.squares / count + (weight * off.factor) ** 2))
    best: tuple[float, Choice] | None = None
    below: int | None = None
    above: int | None = None
    for widths, macs in _all_widths(sizes, resolution, most):
        width_score = deviation(own.widths, widths).squares / count
        for values, depth_score in depths if widths != own.widths or _is_on_grid(sizes) else [(own.depths, 0.0)]:
            total = macs.at(values)
            if total > most:
                above = total if above is None else min(above, total)
                continue
            below = total if below is None else max(below, total)
            if total >= least:
                score = width_score + depth_score + log(most / total) ** 2
                if best is None or score < best[0]:
                    best = score, Choice(widths, values)
    return Found(best[1] if best else None, below, above)


def _is_on_grid(sizes: Sizes) -> bool:
    return all(size.value % size.step == 0 for size in sizes.widths)


def _all_depths(own: Values) -> Iterable[Values]:
    """All depths times one factor, and each of these with one depth more or less by one."""
    found: dict[Values, None] = {own: None}
    first, last = (STEPS * doublings for doublings in DEPTH_DOUBLINGS)
    for step in range(first, last + 1):
        values = tuple(max(1, round(depth * 2 ** (step / STEPS))) for depth in own)
        found.update(dict.fromkeys([values, *_neighbours(values, [1] * len(values))]))
    return found


def _neighbours(values: Values, steps: Sequence[int]) -> Iterator[Values]:
    for index, step in enumerate(steps):
        for value in (values[index] - step, values[index] + step):
            if value >= step:
                yield (*values[:index], value, *values[index + 1 :])


def _all_widths(sizes: Sizes, resolution: tuple[int, int], most: float) -> Iterator[tuple[Values, MacsOfDepths]]:
    """All widths times one factor around what the budget asks, and each of these with one width a step off."""
    own = Choice.of(sizes)
    steps = [size.step for size in sizes.widths]

    def times(doublings: float) -> Values:
        return tuple(size.times(2**doublings) for size in sizes.widths)

    def count(widths: Values) -> MacsOfDepths | None:
        try:
            return sizes.cost(widths, resolution)
        except SpecError:  # e.g. a width that a part of one's own refuses
            return None

    def is_over(doublings: int) -> bool:
        macs = count(times(doublings))
        return macs is not None and macs.at(own.depths) > most

    last = next((n for n in range(MAX_DOUBLINGS) if is_over(n)), 1)
    first = next((-n for n in range(MAX_DOUBLINGS) if times(-n) == tuple(steps) or not is_over(-n)), 0)
    found: dict[Values, None] = {own.widths: None}
    for step in range(first * STEPS, (last + 1) * STEPS + 1):
        widths = times(step / STEPS)
        found.update(dict.fromkeys([widths, *_neighbours(widths, steps)]))
    for widths in found:
        macs = count(widths)
        if macs is not None:
            yield widths, macs
