"""This network beside another: both drawings, the differences in words, and what they do to the cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nicegui import run, ui
from nicegui.events import ValueChangeEventArguments

from hiri_spec.cost import cost
from hiri_spec.differences import compare
from hiri_spec.errors import SpecError
from hiri_spec.files import builtin_specs, load
from hiri_spec.schema import ModelSpec

from ..analysis import Analysis, analyse
from ..drawing import draw
from .desk import Desk, words
from .markup import changes_table, cost_change_table
from .offering import offer

BUILTIN = "built-in: "


@dataclass(frozen=True, slots=True)
class Prepared:
    """Two networks side by side."""

    names: tuple[str, str]
    drawings: tuple[str, str]
    changes: str
    costs: str


class ComparePanel:
    """Another spec is chosen, a file of the folder, a built-in one or one pinned from a search."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._other: ModelSpec | None = None
        self._pinned: dict[str, ModelSpec] = {}
        self._files: tuple[str, ...] = ()
        with ui.element("section").classes("studio-card").props('aria-label="Comparison"'):
            with ui.row().classes("studio-fields"):
                self._choice = ui.select(self._names(), label="Compare with", with_input=True, clearable=True)
                self._choice.props('outlined dense aria-label="Compare with"').classes("studio-wide")
                self._choice.on_value_change(self._choose)
                ui.button("Look again", on_click=self.look_again).props("flat dense no-caps")
            self._told = ui.label("Choose a spec to see what differs from it.").classes("studio-note")
            with ui.element("div").classes("studio-pair") as self._pair:
                with ui.element("figure"):
                    with ui.element("figcaption"):
                        self._name_before = ui.label("")
                    self._before = ui.html("", sanitize=False).classes("studio-drawing")
                with ui.element("figure"):
                    with ui.element("figcaption"):
                        self._name_after = ui.label("")
                    self._after = ui.html("", sanitize=False).classes("studio-drawing")
            self._costs = ui.html("", sanitize=False)
            self._changes = ui.html("", sanitize=False)
        self._pair.set_visibility(False)
        desk.panels.append(self)

    def pin(self, name: str, spec: ModelSpec, beside: str | None = None) -> None:
        """Offer a network that has no file, and compare with it, or with one that was pinned before."""
        self._pinned[name] = spec
        self._choice.set_options(self._names(), value=beside if beside in self._pinned else name)

    def remove_pins(self) -> None:
        """Offer none of these any more."""
        chosen = self._choice.value
        kept = None if chosen in self._pinned else chosen
        self._pinned.clear()
        self._choice.set_options(self._names(), value=kept)

    def prepare(self, analysis: Analysis) -> Prepared | None:
        """Draw both, and what differs."""
        other, spec = self._other, analysis.spec
        if other is None or spec is None:
            return None
        dark = self._desk.is_dark
        sizes = [(other.size, spec.size)] if self._desk.sizes is None else [(size, size) for size in self._desk.sizes]
        if self._desk.sizes is None and other.size != spec.size:
            sizes.append((spec.size, spec.size))
        pairs = [(cost(other, before), cost(spec, after)) for before, after in sizes]
        return Prepared(
            (other.name, spec.name),
            (draw(other, pairs[0][0].resolution, dark=dark), draw(spec, pairs[0][1].resolution, dark=dark)),
            changes_table(compare(other, spec)),
            cost_change_table(pairs),
        )

    def show(self, prepared: Prepared | None) -> None:
        """Put both on the page."""
        self._pair.set_visibility(prepared is not None)
        if prepared is None:
            if self._other is None:
                for element in (self._costs, self._changes):
                    element.set_content("")
            return
        self._told.text = f"From {prepared.names[0]} to {prepared.names[1]}, the text on the left."
        self._name_before.text, self._name_after.text = prepared.names
        self._before.set_content(prepared.drawings[0])
        self._after.set_content(prepared.drawings[1])
        self._costs.set_content(prepared.costs)
        self._changes.set_content(prepared.changes)

    async def look_again(self) -> None:
        """Offer what the folder holds now, and read the chosen one anew."""
        listing = await run.io_bound(self._desk.workspace.listing)
        if listing is not None:  # None: the server is being ended
            self._files = listing.specs
            offer(self._choice, self._names())
            self._read(self._choice.value)

    def _names(self) -> list[str]:
        return [*self._pinned, *self._files, *(BUILTIN + name for name in builtin_specs())]

    def _choose(self, event: ValueChangeEventArguments[Any]) -> None:
        self._read(event.value)

    def _read(self, name: str | None) -> None:
        self._other = None
        try:
            if name is not None:
                self._other = self._find(name)
        except SpecError as error:
            self._told.text = words(error)
        else:
            if name is None:
                self._told.text = "Choose a spec to see what differs from it."
        self._desk.refresh()

    def _find(self, name: str) -> ModelSpec:
        if name in self._pinned:
            return self._pinned[name]
        if name.startswith(BUILTIN):
            return load(name.removeprefix(BUILTIN))
        opened = self._desk.workspace.read(name)
        root = self._desk.workspace.root
        found = analyse(opened.text, file=root / name, roots=[root])
        if found.spec is None:
            mark = found.marks[0]
            raise SpecError(f"{name}:{mark.line} {mark.message}")
        return found.spec
