"""What a search has found: its front as a chart, how it stands, and each network on the way into the editor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nicegui import run, ui
from nicegui.events import EChartPointClickEventArguments

from hiri_spec.errors import SpecError

from ..analysis import analyse
from ..charts import pareto, trial_number
from ..charts.pareto import choose
from ..searches import SearchView, read_search, stop_search, tail
from .asking import refuse
from .desk import Desk, words
from .networks_table import NetworksTable
from .offering import offer
from .search_start import ask_search

if TYPE_CHECKING:
    from .comparing import ComparePanel
    from .files import FilesPanel

SECONDS_BETWEEN = 1.0
"""So often a search that is looked at is read again while it is at work."""
SECONDS_AT_REST = 5.0
"""So often, while it isn't: it may be gone on with in a terminal."""
STATES = {
    "starting": "is starting",
    "running": "is running",
    "stopping": "is stopping",
    "finished": "is finished",
    "interrupted": "was stopped; it can go on",
    "failed": "ended early",
    "killed": "ended without a word; it can go on",
    "over": "is not running",
}


class SearchPanel:
    """The searches of the folder; one of them is shown, and read anew while a browser shows the page."""

    def __init__(self, desk: Desk, files: FilesPanel, compare: ComparePanel) -> None:
        self._desk, self._files, self._compare = desk, files, compare
        self._client = ui.context.client
        self._folder: Path | None = None
        self._view: SearchView | None = None
        self._drawn: object = None
        self._selected: int | None = None
        self._pinned: list[int] = []
        with ui.element("section").classes("studio-card").props('aria-label="Searches"'):
            with ui.row().classes("studio-fields"):
                self._choice = ui.select([], label="Search", with_input=True, clearable=True)
                self._choice.props('outlined dense aria-label="Search"').classes("studio-wide")
                self._choice.on_value_change(lambda event: self._choose(event.value))
                ui.button("Look again", on_click=self.look_again).props("flat dense no-caps")
                ui.button("New search", on_click=self._start).props("no-caps unelevated")
                self._stop = ui.button("Stop", on_click=self._stop_it).props("no-caps outline")
            self._told = ui.label("").classes("studio-search-state").props('role="status" aria-live="polite"')
            self._progress = ui.linear_progress(0, show_value=False).props('aria-label="Trials that are over"')
            self._log = ui.element("pre").classes("studio-log").props('tabindex="0" aria-label="What it said last"')
            with self._log:
                self._words = ui.label("")
        with ui.element("section").classes("studio-card").props('aria-label="Networks tried"') as self._card:
            with ui.row().classes("studio-fields"):
                self._stages = ui.select({}, label="Stages", multiple=True, clearable=True).props("outlined dense")
                self._place = ui.select({}, label="At stage", clearable=True).props("outlined dense")
                self._block = ui.select([], label="stands", multiple=True, clearable=True).props("outlined dense")
                for field in (self._stages, self._place, self._block):
                    field.on_value_change(self.redraw)
            self._chart = ui.echart({}, on_point_click=self._clicked, renderer="svg").classes("studio-front")
            ui.label("A click on a point opens its network in the editor.").classes("studio-note")
            with ui.row().classes("studio-actions"):
                self._pin = ui.button("Pin to compare", on_click=self._pin_it).props("flat dense no-caps")
                self._unpin = ui.button("Remove pins", on_click=self._remove_pins).props("flat dense no-caps")
            self._table = NetworksTable(self._open)
        self._timer = ui.timer(SECONDS_BETWEEN, self._read, active=False)
        self._show_none()

    def choose(self, folder: str) -> None:
        """Show a search by its folder, relative to the opened one; raises SpecError for a folder that is outside."""
        self._desk.workspace.locate(folder)
        if folder not in self._choice.options:
            self._choice.set_options([folder, *self._choice.options])
        self._choice.set_value(folder)

    def redraw(self) -> None:
        """Draw the chart and the table again, by the filters and the page's dark or light."""
        view = self._view
        if view is None:
            return
        counts = set(self._stages.value or ()) or None
        placed = (
            {self._place.value: set(self._block.value)} if self._place.value is not None and self._block.value else None
        )
        options = pareto(
            view.points,
            score_name=view.score_name,
            stage_counts=counts,
            placed=placed,
            selected=self._selected,
            pinned=self._pinned,
            budget_macs=view.budget,
            by_latency=view.is_by_latency,
            dark=self._desk.is_dark,
        )
        self._chart.options.clear()
        self._chart.options.update(options)
        self._table.show(view, {point.number for point in choose(view.points, stage_counts=counts, placed=placed)})

    async def look_again(self) -> None:
        """Offer the searches that are in the folder now."""
        listing = await run.io_bound(self._desk.workspace.listing)
        if listing is None:  # the server is being ended
            return
        chosen, found = self._choice.value, list(listing.searches)
        offer(self._choice, found if chosen is None or chosen in found else [chosen, *found])

    def _choose(self, folder: str | None) -> None:
        self._view, self._drawn, self._selected, self._pinned = None, None, None, []
        self._folder = None if folder is None else self._desk.workspace.locate(folder)
        self._timer.active = folder is not None
        if folder is None:
            self._show_none()

    def _show_none(self) -> None:
        self._told.text = "Choose a search, or start one with the page's budget."
        for element in (self._card, self._progress, self._log, self._stop):
            element.set_visibility(False)

    async def _read(self) -> None:
        folder = self._folder
        if folder is None or not self._client.has_socket_connection:
            return
        try:
            found = await run.io_bound(read_search, folder)
            said = await run.io_bound(tail, folder)
        except SpecError as error:
            self._told.text = words(error)
            return
        if found is None or folder != self._folder:  # the server is being ended, or another was chosen meanwhile
            return
        self._timer.interval = SECONDS_BETWEEN if found.running else SECONDS_AT_REST
        self._show(found, said or "")

    def _show(self, view: SearchView, said: str) -> None:
        of = "" if view.trials is None else f" of {view.trials:,}"
        failed = f", {view.failed:,} failed" if view.failed else ""
        best = "" if view.best is None else f"; best: {view.best.sketch}, {view.best.score:.4g}"
        is_quoted = view.state in ("starting", "failed", "killed") and bool(said)
        ending = f". {view.ending}" if view.ending and not is_quoted else ""
        self._told.text = (
            f"{self._choice.value} {STATES[view.state]}: {view.finished:,}{of} trials{failed}{best}{ending}"
        )
        self._stop.set_visibility(view.running)
        self._stop.set_enabled(view.state != "stopping")
        self._progress.set_visibility(view.running and bool(view.trials))
        self._progress.set_value(min(1.0, view.finished / view.trials) if view.trials else 0.0)
        self._log.set_visibility(is_quoted)
        self._words.text = said
        self._card.set_visibility(bool(view.points))
        drawn = (len(view.levels), len(view.points), view.score_name)
        self._view = view
        if drawn != self._drawn:
            self._drawn = drawn
            self._offer_filters(view)
            self.redraw()

    def _offer_filters(self, view: SearchView) -> None:
        counts = sorted({point.stages for point in view.points})
        blocks = sorted({block for point in view.points for stage in point.placement for block in stage.split("+")})
        offer(self._stages, {count: f"{count} stages" for count in counts})
        offer(self._place, {place: f"stage {place}" for place in range(max(counts, default=0))})
        offer(self._block, blocks)

    async def _clicked(self, event: EChartPointClickEventArguments) -> None:
        number = trial_number(event.value)
        if number is not None:
            await self._open(number)

    async def _open(self, number: int) -> None:
        view = self._view
        if view is None or not await self._files.may_leave():
            return
        try:
            text = await run.io_bound(view.spec_text, number)
        except SpecError as error:
            refuse(error)
            return
        if text is None:
            return
        self._selected = number
        self._files.open_text(text, f"{view.folder.name}_{number:05d}.yaml")
        self.redraw()

    def _pin_it(self) -> None:
        view, analysis, number = self._view, self._desk.analysis, self._selected
        if view is None or number is None:
            ui.notify("Open a network by a click on its point first.", type="info")
            return
        text = view.spec_text(number)
        root = self._desk.workspace.root
        spec = analyse(text, file=root / "pinned.yaml", roots=[root]).spec if analysis is not None else None
        if spec is None:
            ui.notify(f"Trial {number} can't be read as a spec.", type="warning")
            return
        self._pinned = [*[other for other in self._pinned if other != number], number][-2:]
        first = self._pinned[0]
        name = view.folder.name
        self._compare.pin(f"{name}, trial {number}", spec, f"{name}, trial {first}")
        told = "this text beside it" if first == number else f"it beside trial {first}"
        ui.notify(f"Trial {number} is pinned; Compare shows {told}.", type="info")
        self.redraw()

    def _remove_pins(self) -> None:
        self._pinned = []
        self._compare.remove_pins()
        self.redraw()

    def _stop_it(self) -> None:
        if self._folder is None:
            return
        try:
            stop_search(self._folder)
        except SpecError as error:
            ui.notify(words(error), type="warning")

    async def _start(self) -> None:
        started = await ask_search(self._desk)
        if started is not None:
            await self.look_again()
            self.choose(started)
