"""The budget and the resolution: how far off the network is, and the transforms that bring it there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nicegui import run, ui
from nicegui.events import ValueChangeEventArguments

from hiri_spec.cost import Cost
from hiri_spec.errors import Problem, SpecError
from hiri_spec.quantities import format_amount, format_resolution, parse_macs, parse_resolutions
from hiri_spec.schema import ModelSpec
from hiri_spec.transforms import fit, scale

from ..analysis import Analysis
from .asking import refuse
from .desk import Desk, words
from .proposal import propose

SMALLEST_BUDGET = 100_000
"""MACs. Who writes a number alone means one with a unit."""
MOST_SIZES = 4
"""Resolutions that are shown at once."""


class LimitsPanel:
    """Fields for the resolutions, the budget and the resolution to scale to, with what they offer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._cost: Cost | None = None
        with ui.element("section").classes("studio-card studio-limits").props('aria-label="Budget and resolution"'):
            with ui.row().classes("studio-fields"):
                self._sizes = ui.input(
                    "Resolutions", placeholder="224,448", on_change=self._read_sizes, validation=_complaint(read_sizes)
                )
                self._sizes.props('dense outlined hint="pixels; empty: its own"')
                self._budget = ui.input(
                    "Budget", placeholder="5gflops", on_change=self._read_budget, validation=_complaint(read_budget)
                )
                self._budget.props('dense outlined clearable hint="MACs, e.g. 5gflops"')
                self._fit = ui.button("Fit to budget", on_click=self._offer_fit).props("no-caps unelevated")
                self._target = ui.input("Scale to", placeholder="448", validation=_complaint(read_target))
                self._target.props('dense outlined hint="a higher resolution"')
                self._scale = ui.button("Scale up", on_click=self._offer_scale).props("no-caps unelevated")
            with ui.element("div").classes("studio-gauge").props('role="img"') as self._gauge:
                self._filled = ui.element("div").classes("studio-gauge-filled")
            self._told = ui.label("").classes("studio-gauge-told").props('role="status" aria-live="polite"')
        self._fit.disable()
        desk.panels.append(self)

    def prepare(self, analysis: Analysis) -> Cost | None:
        """The cost that the budget is held against: at the first resolution shown."""
        return analysis.costs[0] if analysis.costs else None

    def show(self, prepared: Cost | None) -> None:
        """How much of the budget is used."""
        self._cost = prepared
        budget = self._desk.budget
        self._gauge.set_visibility(budget is not None)
        if budget is None or prepared is None:
            self._told.text = "" if budget is None else "The spec has mistakes; its cost is not known."
            self._filled.style("width: 0")
            self._fit.set_enabled(False)
            self._gauge.props('aria-label="no budget"')
            return
        share = prepared.macs / budget
        size = format_resolution(prepared.resolution)
        used = f"{format_amount(prepared.macs)}MACs at {size} of {format_amount(budget)}MACs, {100 * share:.1f} %"
        over = f": over the budget by {format_amount(prepared.macs - budget)}MACs" if share > 1 else ""
        self._told.text = used + over
        self._gauge.props(f'aria-label="{self._told.text}"')
        self._filled.style(f"width: {min(100.0, 100 * share):.1f}%")
        self._gauge.classes(replace="studio-gauge studio-over" if share > 1 else "studio-gauge")
        self._fit.set_enabled(True)

    def _read_sizes(self, event: ValueChangeEventArguments[Any]) -> None:
        with suppress(SpecError):  # which the field tells
            self._desk.sizes = read_sizes(event.value)
            self._desk.refresh()

    def _read_budget(self, event: ValueChangeEventArguments[Any]) -> None:
        with suppress(SpecError):  # which the field tells
            self._desk.budget = read_budget(event.value)
            self._desk.refresh()

    async def _offer_fit(self) -> None:
        spec, budget = self._current(), self._desk.budget
        if spec is None or budget is None or self._cost is None:
            return
        size = self._cost.resolution
        await self._offer(
            f"Fit to {format_amount(budget)}MACs at {format_resolution(size)}",
            spec,
            lambda: fit(spec, gmacs=budget / 1e9, resolution=size),
            self._fit,
        )

    async def _offer_scale(self) -> None:
        spec = self._current()
        if spec is None:
            return
        try:
            size = read_target(self._target.value)
        except SpecError:  # which the field tells
            return
        if size is None:
            ui.notify("Give the resolution to scale to first, such as 896.", type="info")
            return
        await self._offer(
            f"Scale up to {format_resolution(size)}", spec, lambda: scale(spec, resolution=size), self._scale
        )

    async def _offer(self, title: str, spec: ModelSpec, transform: Any, button: ui.button) -> None:
        asked = self._desk.text
        button.props("loading")
        try:
            scaled = await run.io_bound(transform)
        except SpecError as error:
            refuse(error)
            return
        finally:
            button.props(remove="loading")
        if scaled is None:  # the server is being ended
            return
        if scaled.spec == spec:
            ui.notify("It is so already; nothing to change.", type="info")
            return
        await propose(self._desk, title, asked, spec, scaled.spec, scaled.text)

    def _current(self) -> ModelSpec | None:
        """The spec of the text as it is now; says why not where it has mistakes."""
        analysis = self._desk.analysis
        if analysis is None or analysis.text != self._desk.text or analysis.spec is None:
            ui.notify("The spec has mistakes; mend them first.", type="warning")
            return None
        return analysis.spec


def read_sizes(text: str | None) -> tuple[tuple[int, int], ...] | None:
    """The resolutions of the field, None if it is empty; raises SpecError for others and for too many."""
    if not (text or "").strip():
        return None
    sizes = tuple(dict.fromkeys(parse_resolutions(text or "", "")))
    if len(sizes) > MOST_SIZES:
        raise SpecError(Problem(f"{len(sizes)} are too many to see at once; give at most {MOST_SIZES}"))
    return sizes


def read_budget(text: str | None) -> int | None:
    """The MACs of the field, None if it is empty; raises SpecError for what is no amount."""
    if not (text or "").strip():
        return None
    macs = parse_macs(text or "", "")
    if macs < SMALLEST_BUDGET:
        raise SpecError(Problem(f"{macs:,} MACs are less than any network costs; write it like 5gflops or 5e9"))
    return macs


def read_target(text: str | None) -> tuple[int, int] | None:
    """The one resolution of the field, None if it is empty; raises SpecError for others."""
    sizes = read_sizes(text)
    if sizes is not None and len(sizes) > 1:
        raise SpecError(Problem("a network is scaled to one size; give one"))
    return sizes[0] if sizes else None


def _complaint(read: Callable[[str | None], object]) -> Callable[[str | None], str | None]:
    """What a field says of a value, by what reads it."""

    def complaint(text: str | None) -> str | None:
        try:
            read(text)
        except SpecError as error:
            return words(error)
        return None

    return complaint
