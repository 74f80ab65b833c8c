"""Fitting a network to a budget by moving its widths and depths along its own proportions."""

from __future__ import annotations

import re
from math import exp, isfinite
from typing import Any

from ..cost import MAX_MACS, cost
from ..errors import Problem, SpecError, show
from ..files import SpecLike, as_spec, to_yaml
from ..network import Resolution, read_resolution
from ..quantities import format_resolution
from ..schema import ModelSpec
from .draft import Draft, Scaled, finish
from .proportions import Choice, deviation, search
from .sizes import GRID, Size, Sizes

OUT_OF_PROPORTION = 1.25
"""A width or depth that is off its proportion by more than this factor is told."""


def fit_to_budget(
    spec: SpecLike, *, gmacs: float, resolution: Resolution | None = None, at_least: float = 0.9
) -> ModelSpec:
    """The spec with its widths, and if need be its depths, made larger or smaller along its proportions.

    Heads keep their width. The result costs at most `gmacs` GMACs and at least `at_least` of that, as near as its
    proportions allow; raises SpecError where no such network is on the grid.
    """
    return fit(spec, gmacs=gmacs, resolution=resolution, at_least=at_least).spec


def fit(
    network: SpecLike | Scaled, *, gmacs: float, resolution: Resolution | None = None, at_least: float = 0.9
) -> Scaled:
    """As `fit_to_budget`, with what changed; a network that was scaled up before keeps the notes of that."""
    budget, least = _read_budget(gmacs, at_least)
    spec = network.spec if isinstance(network, Scaled) else as_spec(network)
    sizes, size = Sizes(spec), read_resolution(spec, resolution)
    found = search(sizes, size, least=least, most=budget)
    if found.choice is None:
        raise _out_of_reach(sizes, size, least, budget, found.below, found.above)
    if found.choice == Choice.of(sizes):
        if isinstance(network, Scaled):
            return network
        return Scaled(spec, spec, {}, list(range(len(spec.stages))), "", to_yaml(spec))
    draft = Draft.of(spec)
    draft.data, draft.stages = sizes.resized(found.choice.widths, found.choice.depths)
    named = re.sub(r"_[0-9.e+-]+gmacs$", "", spec.name)
    draft.data["name"] = f"{named}_{gmacs:g}gmacs"
    header = f"{spec.name} fitted to {gmacs:g} GMACs at {format_resolution(size)}; comments say what was changed."
    if isinstance(network, Scaled):
        draft.original = network.original
        draft.notes = {place: list(notes) for place, notes in network.notes.items()}
        header = f"{network.header} Then fitted to {gmacs:g} GMACs."
    elif draft.data.pop("description", None) is not None:
        header += " The description is left out."
    _tell(draft, sizes, found.choice)
    return finish(draft, header)


def _read_budget(gmacs: Any, at_least: Any) -> tuple[float, float]:
    """Most and fewest MACs."""
    if isinstance(gmacs, bool) or not isinstance(gmacs, int | float) or not isfinite(gmacs) or gmacs <= 0:
        raise SpecError(Problem(f"rule fit: {show(gmacs)} is no budget; give GMACs above 0, such as 4.5", "gmacs"))
    if isinstance(at_least, bool) or not isinstance(at_least, int | float) or not 0 <= at_least <= 1:
        raise SpecError(Problem(f"rule fit: {show(at_least)} is no share; give 0 to 1, such as 0.9", "at_least"))
    if gmacs * 1e9 > MAX_MACS:
        message = f"rule fit: {gmacs:g} GMACs are above the limit of what can be built, {_macs(MAX_MACS)}"
        raise SpecError(Problem(f"{message}; give less", "gmacs"))
    return gmacs * 1e9, gmacs * 1e9 * at_least


def _tell(draft: Draft, sizes: Sizes, choice: Choice) -> None:
    """What was changed where, and what is out of proportion by more than a little."""
    for sizes_of_kind, values in ((sizes.widths, choice.widths), (sizes.depths, choice.depths)):
        off = deviation([size.value for size in sizes_of_kind], values).each
        for size, value, own in zip(sizes_of_kind, values, off, strict=True):
            words = []
            if value != size.value:
                words.append(f"{size.field}: {size.value} became {value}" + ", heads with it" * size.has_heads)
            factor = exp(abs(own))
            if factor > OUT_OF_PROPORTION:
                side = "above" if own > 0 else "below"
                words.append(f"{size.field} {factor:.2f} x {side} its proportion, {_why_off(size)}")
            for place in size.places if words else ():
                draft.note(place, "fit", ", ".join(words))


def _why_off(size: Size) -> str:
    if size.step == 1:
        return "as depths are whole"
    return f"as heads keep their {size.step} channels" if size.step > GRID else f"on the grid of {GRID}"


def _out_of_reach(
    sizes: Sizes, size: tuple[int, int], least: float, budget: float, below: int | None, above: int | None
) -> SpecError:
    name = sizes.spec.name
    if below is None:
        data, stages = sizes.resized([each.step for each in sizes.widths], [1] * len(sizes.depths))
        smallest = cost(data | {"stages": stages}, size)
        dearest = max(smallest.by_stage(), key=lambda row: row.macs)
        message = f"rule fit: {_macs(budget)} are too few for {name}: with all widths at their least and all depths 1"
        message += f" it costs {_macs(smallest.macs)}, of which {_macs(dearest.macs)} are here"
        return SpecError(Problem(f"{message}; allow more", re.sub(r"\.(\d+)", r"[\1]", dearest.name), code="budget"))
    near = [f"{_macs(below)} below"] + ([] if above is None else [f"{_macs(above)} above"])
    message = f"rule fit: none of {name}'s proportions costs {_macs(least)} to {_macs(budget)}: "
    message += f"the nearest are {' and '.join(near)}"
    coarsest = max(sizes.widths, key=lambda each: each.step)
    if coarsest.step > GRID:
        message += f"; widths here move in steps of {coarsest.step} channels, as heads keep their width"
    return SpecError(Problem(f"{message}; allow less or more", coarsest.places[0], code="budget"))


def _macs(value: float) -> str:
    return f"{value:,.0f} MACs" if value < 1e6 else f"{value / 1e9:.4g} GMACs"
