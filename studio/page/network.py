"""The network as it is written: totals, drawing, cost by stage, and what other resolutions would cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from hiri_spec.cost import CONVENTION, Cost, cost
from hiri_spec.quantities import format_bytes, format_resolution

from ..analysis import Analysis
from ..charts import cost_bars, curve_points, resolution_curve
from ..drawing import draw
from .desk import Desk
from .markup import cost_table

ON_CHOICE = """(event) => {
    const chosen = event.target.closest("[data-scope]");
    if (!chosen || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    emit(chosen.dataset.scope);
}"""

FOCUS = """
const drawing = document.getElementById("%s");
const buttons = [...drawing.querySelectorAll("[data-scope]")];
(buttons.find((button) => button.dataset.scope === %s) ?? buttons[0])?.focus();
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is shown of a network."""

    costs: tuple[Cost, ...]
    drawing: str
    table: str
    bars: dict[str, Any]
    curve: dict[str, Any]


class NetworkPanel:
    """What the text describes. While it has mistakes, what it described before, greyed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._opened: str | None = None
        self._clicked: str | None = None
        with ui.element("section").classes("studio-card studio-totals").props('aria-label="Totals"') as self._totals:
            with ui.element("div").classes("studio-figures").props('aria-live="polite"'):
                self._macs = ui.label("").classes("studio-large").mark("macs")
                self._params = ui.label("").classes("studio-large").mark("params")
                self._memory = ui.label("").classes("studio-small")
            ui.label(f"{CONVENTION}; memory: activations of one image in float32.").classes("studio-note")
        self._stale = ui.label("Shown is the network before the mistakes.").classes("studio-warning")
        self._stale.set_visibility(False)
        with ui.element("section").classes("studio-card").props('aria-label="Drawing"') as self._card:
            self._drawing = ui.html("", sanitize=False).classes("studio-drawing")
            self._drawing.on("click", self._open_scope, js_handler=ON_CHOICE)
            self._drawing.on("keydown", self._open_scope, js_handler=ON_CHOICE)
            ui.label("A click on a stage shows the inside of its blocks.").classes("studio-note")
        with ui.element("section").classes("studio-card").props('aria-label="Cost by stage"') as self._cost_card:
            self._bars = ui.echart({}, renderer="svg").classes("studio-bars")
            self._table = ui.html("", sanitize=False)
        with ui.element("section").classes("studio-card").props('aria-label="Cost by resolution"') as self._curve_card:
            self._curve = ui.echart({}, renderer="svg").classes("studio-curve")
        desk.panels.append(self)

    def prepare(self, analysis: Analysis) -> Prepared | None:
        """Draw and count; None while there are mistakes."""
        spec = analysis.spec
        if spec is None:
            return None
        dark, costs = self._desk.is_dark, analysis.costs
        return Prepared(
            costs,
            draw(spec, costs[0].resolution, opened=self._opened, dark=dark),
            cost_table(costs),
            cost_bars(costs, dark=dark),
            resolution_curve(curve_points(spec), own=cost(spec), budget_macs=self._desk.budget, dark=dark),
        )

    def show(self, prepared: Prepared | None) -> None:
        """Put it on the page."""
        has_shown = prepared is not None or self._desk.spec is not None
        self._stale.set_visibility(prepared is None and has_shown)
        for card in (self._totals, self._card, self._cost_card, self._curve_card):
            card.set_visibility(has_shown)
        for card in (self._card, self._cost_card, self._curve_card):
            card.classes(**({"add": "studio-stale"} if prepared is None else {"remove": "studio-stale"}))
        if prepared is None:
            return
        first = prepared.costs[0]
        size = format_resolution(first.resolution)
        self._macs.text = f"{first.macs / 1e9:.3f} GMACs"
        self._params.text = f"{first.params / 1e6:.2f} M params"
        self._memory.text = (
            f"at {size}: {format_bytes(first.memory_bytes)} in inference, "
            f"{format_bytes(first.training_memory_bytes)} in training"
        )
        self._drawing.set_content(prepared.drawing)
        if self._clicked is not None:  # its button was replaced by a new one, which whoever uses the keyboard is on
            scope, self._clicked = self._clicked, None
            ui.run_javascript(FOCUS % (self._drawing.html_id, json.dumps(scope)), timeout=5.0)
        self._table.set_content(prepared.table)
        for chart, options in ((self._bars, prepared.bars), (self._curve, prepared.curve)):
            chart.options.clear()
            chart.options.update(options)

    def _open_scope(self, event: GenericEventArguments) -> None:
        scope = event.args
        if isinstance(scope, str):
            self._opened = None if scope in (self._opened, "") else scope
            self._clicked = scope
            self._desk.refresh()
