"""The networks of a search as a table, the front first; each row is a way into the editor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import ui

from ..charts.frame import macs_unit
from ..searches import SearchView, TriedPoint

MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class _Row:
    """One network's row on the page, and the texts in it that may change."""

    element: ui.element
    cells: tuple[ui.label, ...]


class NetworksTable:
    """Stands where it is made; `show` changes what differs, as a row that is made anew hears no click meanwhile."""

    def __init__(self, open: Callable[[int], Awaitable[None]]) -> None:
        self._open = open
        self._headings: tuple[str, ...] = ()
        self._rows: dict[int, _Row] = {}
        self._place = ui.element("div")
        self._caption: ui.label
        self._body: ui.element

    def show(self, view: SearchView, kept: set[int]) -> None:
        """Put the best of those kept on the page."""
        ranked = [point for point in view.front if point.number in kept]
        others = sorted((p for p in view.points if p.number in kept and not p.on_front), key=lambda point: -point.score)
        shown = [*ranked, *others][:MOST_ROWS]
        unit, divisor, _ = macs_unit(max((point.macs for point in view.points), default=0))
        timed = ["ms"] if any(point.latency_ms is not None for point in shown) else []
        headings = tuple(dict.fromkeys([view.score_name, unit, "params M", *timed]))
        if headings != self._headings:
            self._begin(headings)
        self._caption.text = f"{len(shown)} of {len(kept)} networks, the front first"
        for number in self._rows.keys() - {point.number for point in shown}:
            self._rows.pop(number).element.delete()
        for index, point in enumerate(shown):
            figures = _figures(point, view.score_name, unit, divisor)
            texts = (point.sketch, *(figures.get(each, "") for each in headings), "yes" if point.on_front else "")
            row = self._rows.get(point.number) or self._add(point.number, len(texts))
            for label, text in zip(row.cells, texts, strict=True):
                label.text = text
            if self._body.default_slot.children[index] is not row.element:
                row.element.move(target_index=index)

    def _begin(self, headings: tuple[str, ...]) -> None:
        """Make the table anew, without rows."""
        self._headings = headings
        self._rows.clear()
        self._place.clear()
        with (
            self._place,
            ui.element("div").classes("studio-scroll").props('tabindex="0" role="region" aria-label="Networks"'),
            ui.element("table"),
        ):
            with ui.element("caption"):
                self._caption = ui.label("")
            with ui.element("thead"), ui.element("tr"):
                for heading in ("trial", "network", *headings, "front"):
                    kind = "figures" if heading in headings else "words"
                    with ui.element("th").props('scope="col"').classes(kind):
                        ui.label(heading)
            self._body = ui.element("tbody")

    def _add(self, number: int, count: int) -> _Row:
        """A row below the others, whose texts are still empty."""
        cells: list[ui.label] = []
        with self._body, ui.element("tr") as element:
            with ui.element("th").props('scope="row"'):
                button = ui.button(str(number), on_click=lambda: self._open(number))
                button.props(f'flat dense no-caps aria-label="Open trial {number}"')
            for column in range(count):
                with ui.element("td").classes("figures" if 0 < column < count - 1 else "words"):
                    cells.append(ui.label(""))
        row = self._rows[number] = _Row(element, tuple(cells))
        return row


def _figures(point: TriedPoint, score_name: str, unit: str, divisor: float) -> dict[str, str]:
    """What stands in a row, by its heading; a score that is one of the costs stands there once."""
    cells = {score_name: f"{point.score:.4f}"}
    cells.setdefault(unit, f"{point.macs / divisor:.3f}")
    cells.setdefault("params M", f"{point.params / 1e6:.2f}")
    if point.latency_ms is not None:
        cells.setdefault("ms", f"{point.latency_ms:.2f}")
    return cells
