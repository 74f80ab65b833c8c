"""The editor: the YAML with its mistakes underlined, completion, undo, and what is wrong in words below."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nicegui import app, ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments
from pydantic import BaseModel

from ..analysis import Analysis, Mark
from ..completion import complete
from .desk import LARGEST_TEXT, Desk

COMPLETIONS = "/studio-completions"
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
        self._client = ui.context.client
        self.on_cursor: list[Callable[[int], None]] = []
        self._on_save = on_save
        self._place = ui.element("div").classes("studio-editor")
        self._make(desk.text)
        with ui.element("section").classes("studio-mistakes").props('aria-label="Mistakes in the spec"'):
            self._status = ui.label("").props('role="status" aria-live="polite"').classes("studio-status")
            self._list = ui.element("ul")
        self._shown: tuple[Mark, ...] | None = None
        desk.on_put(self._put, self._open)
        desk.panels.append(self)
        ui.on("studio_cursor", self._moved)
        ui.on("studio_text", self._whole)
        ui.on("studio_too_long", self._refuse_length)

    def _make(self, text: str) -> None:
        with self._place:
            self.element = ui.codemirror(
                text,
                on_change=self._changed,
                language="YAML",
                theme=self._theme,  # type: ignore[arg-type]
                indent="  ",
                keymap={"Mod-s": self._on_save},
            )

    @property
    def _theme(self) -> str:
        return "githubDark" if self._desk.is_dark else "githubLight"

    @property
    def offset(self) -> int:
        """The cursor's place in the text, in characters."""
        return min(self._offset, len(self._desk.text))

    def equip(self) -> None:
        """Give the editor in the browser what NiceGUI's has not; the page must be there."""
        self._call("equip", LABEL)

    def follow_scheme(self) -> None:
        """Take the page's dark or light."""
        self.element.run_method("setTheme", self._theme)

    def undo(self) -> None:
        """Take back the last change, typed or not."""
        self._call("undo")

    def redo(self) -> None:
        """Do again what was taken back."""
        self._call("redo")

    def go_to(self, line: int) -> None:
        """Put the cursor at a line, from 1 on."""
        self._call("goTo", line)

    def _call(self, name: str, *values: Any) -> None:
        """Call a function of editor.js for this editor, once that is loaded."""
        arguments = ", ".join(map(json.dumps, (self.element.id, *values)))
        with self._client:
            ui.run_javascript(
                f"const go = () => studio.{name}({arguments});"
                "window.studio ? go() : window.addEventListener('studio-ready', go, {once: true});"
            )

    def prepare(self, analysis: Analysis) -> Analysis:
        """Nothing takes time here."""
        return analysis

    def show(self, prepared: Analysis) -> None:
        """Underline the mistakes and list them."""
        if prepared.text != self._desk.text:
            return  # newer text is about to be looked at; these marks would stand in the wrong places
        marks = prepared.marks
        if marks or self._shown:
            shown = [{"line": m.line, "start": m.start, "end": m.end, "message": m.message} for m in marks]
            self._call("mark", len(prepared.text), shown)
        if marks == self._shown:
            return
        self._shown = marks
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

    def _put(self, text: str, is_own_step: bool) -> None:
        if self._client.has_socket_connection:
            self._call("put", text, is_own_step)
        else:
            self.element.set_value(text)

    def _open(self, text: str) -> None:
        """Begin with another text in a new editor, as undo in the old one would bring the old text into this file."""
        self._offset, self._shown = 0, None
        self._place.clear()
        self._make(text)
        if self._client.has_socket_connection:
            self.equip()

    def _changed(self, event: ValueChangeEventArguments[str]) -> None:
        if event.sender is self.element:  # and not the one before, whose last change came late
            self._desk.edit(event.value or "")

    def _refuse_length(self) -> None:
        message = f"That would make more than {LARGEST_TEXT:,} characters, and was left out: no spec is so long."
        ui.notify(message, type="warning")

    def _moved(self, event: GenericEventArguments) -> None:
        offset = event.args.get("offset")
        if event.args.get("id") == self.element.id and isinstance(offset, int) and offset >= 0:
            self._offset = offset
            for listener in self.on_cursor:
                listener(self.offset)

    def _whole(self, event: GenericEventArguments) -> None:
        text = event.args.get("text")
        is_own = event.args.get("id") == self.element.id
        if is_own and isinstance(text, str) and text != self._desk.text:
            self.element.set_value(text)
            self._desk.edit(text)
