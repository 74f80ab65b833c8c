"""The editor: the YAML with its mistakes underlined, completion, undo, and what is wrong in words below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import app, ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments
from pydantic import BaseModel

from ..analysis import Analysis, Mark
from ..completion import complete
from .desk import Desk

COMPLETIONS = "/studio-completions"
LARGEST_TEXT = 1_000_000
"""Characters of a text that the editor sends for completion or comparison; longer ones are mistakes anyway."""
MOST_MISTAKES = 20
"""Mistakes that are listed; one at the top often brings many."""
LABEL = "Spec as YAML"


class Place(BaseModel):
    """A text and the place of the cursor in it, in characters."""

    text: str
    offset: int


def add_completions() -> None:
    """Answer what the editor asks when something is typed."""

    @app.post(COMPLETIONS)
    def answer(place: Place) -> dict[str, Any] | None:
        if len(place.text) > LARGEST_TEXT or not 0 <= place.offset <= len(place.text):
            return None
        found = complete(place.text, place.offset)
        if found is None:
            return None
        options = [
            {
                "label": option.label,
                "insert": option.insert,
                "kind": option.kind,
                "detail": option.detail,
                "documentation": option.documentation,
            }
            for option in found.options
        ]
        return {"start": found.start, "end": found.end, "options": options}


class EditorPanel:
    """The text on the left, and under it what is wrong with it."""

    def __init__(self, desk: Desk, on_save: Callable[[], Any]) -> None:
        self._desk = desk
        self._offset = 0
        self.on_cursor: list[Callable[[int], None]] = []
        with ui.element("div").classes("studio-editor"):
            self.element = ui.codemirror(
                desk.text,
                on_change=self._changed,
                language="YAML",
                theme=self._theme,  # type: ignore[arg-type]
                indent="  ",
                keymap={"Mod-s": on_save},
            )
        with ui.element("section").classes("studio-mistakes").props('aria-label="Mistakes in the spec"'):
            self._status = ui.label("").props('role="status" aria-live="polite"').classes("studio-status")
            self._list = ui.element("ul")
        self._shown: tuple[Mark, ...] | None = None
        desk.on_put(self._put)
        desk.panels.append(self)
        ui.on("studio_cursor", self._moved)
        ui.on("studio_text", self._whole)

    @property
    def _theme(self) -> str:
        return "githubDark" if self._desk.is_dark else "githubLight"

    @property
    def offset(self) -> int:
        """The cursor's place in the text, in characters."""
        return min(self._offset, len(self._desk.text))

    def equip(self) -> None:
        """Give the editor in the browser what NiceGUI's has not; the page must be there."""
        ui.run_javascript(
            f"const go = () => studio.equip({self.element.id}, {LABEL!r});"
            "window.studio ? go() : window.addEventListener('studio-ready', go, {once: true});"
        )

    def follow_scheme(self) -> None:
        """Take the page's dark or light."""
        self.element.theme = self._theme  # type: ignore[assignment]

    def undo(self) -> None:
        """Take back the last change, typed or not."""
        ui.run_javascript(f"studio.undo({self.element.id})")

    def redo(self) -> None:
        """Do again what was taken back."""
        ui.run_javascript(f"studio.redo({self.element.id})")

    def go_to(self, line: int) -> None:
        """Put the cursor at a line, from 1 on."""
        ui.run_javascript(f"studio.goTo({self.element.id}, {line})")

    def prepare(self, analysis: Analysis) -> Analysis:
        """Nothing takes time here."""
        return analysis

    def show(self, prepared: Analysis) -> None:
        """Underline the mistakes and list them."""
        marks = prepared.marks
        if marks == self._shown or prepared.text != self._desk.text:
            return  # newer text is about to be looked at; its marks would stand in the wrong places
        self._shown = marks
        self.element.decorations = [
            {"kind": "mark", "from": mark.start, "to": mark.end, "class": "studio-wrong"}
            for mark in marks
            if mark.start < mark.end
        ] + [{"kind": "line", "line": line, "class": "studio-wrong-line"} for line in {mark.line for mark in marks}]
        tips: dict[int, str] = {}
        for mark in marks:
            tips[mark.line] = "\n".join(filter(None, (tips.get(mark.line), mark.message)))
        self.element.line_tooltips = tips
        count = len(marks)
        self._status.text = "No mistakes." if not count else f"{count} mistake{'s' * (count != 1)}."
        self._status.classes(replace="studio-status studio-bad" if count else "studio-status studio-good")
        self._list.clear()
        with self._list:
            for mark in marks[:MOST_MISTAKES]:
                with ui.element("li"):
                    place = f"line {mark.line}" + (f", {mark.path}" if mark.path else "")
                    button = ui.button(place, on_click=lambda _, line=mark.line: self.go_to(line))
                    button.props("flat dense no-caps").classes("studio-place")
                    ui.label(mark.message)
            if count > MOST_MISTAKES:
                with ui.element("li"):
                    ui.label(f"and {count - MOST_MISTAKES} more")

    def _put(self, text: str) -> None:
        self.element.set_value(text)

    def _changed(self, event: ValueChangeEventArguments[str]) -> None:
        self._desk.edit(event.value or "")

    def _moved(self, event: GenericEventArguments) -> None:
        offset = event.args.get("offset")
        if isinstance(offset, int) and offset >= 0:
            self._offset = offset
            for listener in self.on_cursor:
                listener(self.offset)

    def _whole(self, event: GenericEventArguments) -> None:
        text = event.args.get("text")
        if isinstance(text, str) and text != self._desk.text:
            self.element.set_value(text)
            self._desk.edit(text)
