"""A slider for the number under the cursor, in the steps that the field takes."""

from __future__ import annotations

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from ..numbers import Number, number_at, replace_number
from .desk import Desk
from .editor import EditorPanel


class SliderPanel:
    """Below the editor: the field under the cursor and its legal values."""

    def __init__(self, desk: Desk, editor: EditorPanel) -> None:
        self._desk = desk
        self._number: Number | None = None
        self._is_showing = False
        with ui.element("section").classes("studio-slider").props('aria-label="Number under the cursor"'):
            self._label = ui.label("").classes("studio-slider-label")
            with ui.row().classes("studio-slider-row"):
                self._less = ui.button("−", on_click=lambda: self._step(-1)).props('flat dense aria-label="less"')
                self._slider = ui.slider(min=0, max=1, step=1, value=0, on_change=self._slid)
                self._more = ui.button("+", on_click=lambda: self._step(1)).props('flat dense aria-label="more"')
        editor.on_cursor.append(self._look)
        self._show(None)

    def _look(self, offset: int) -> None:
        self._show(self._at(offset))

    def _at(self, offset: int) -> Number | None:
        return number_at(self._desk.text, offset, file=self._desk.file, roots=[self._desk.workspace.root])

    def _show(self, number: Number | None) -> None:
        self._number = number
        has_steps = number is not None and len(number.choices) > 1
        for element in (self._slider, self._less, self._more):
            element.set_enabled(has_steps)
        if number is None or not has_steps:
            self._label.text = "Put the cursor on a number to change it by a slider."
            return
        choices = number.choices
        self._label.text = f"{number.label}: {number.value}, from {choices[0]} to {choices[-1]}"
        self._is_showing = True
        self._slider._props.update({"min": 0, "max": len(choices) - 1, "aria-label": number.label})
        self._slider.set_value(_nearest(choices, number.value))
        self._slider.update()
        self._is_showing = False

    def _slid(self, event: ValueChangeEventArguments[float | None]) -> None:
        if not self._is_showing and self._number is not None and event.value is not None:
            self._choose(round(event.value))

    def _step(self, by: int) -> None:
        if self._number is not None:
            place = _nearest(self._number.choices, self._number.value) + by
            if 0 <= place < len(self._number.choices):
                self._choose(place)

    def _choose(self, place: int) -> None:
        number = self._number
        if number is None or not 0 <= place < len(number.choices) or number.choices[place] == number.value:
            return
        now = self._at(number.start)
        if now is None or now.path != number.path:  # the text has moved on
            self._show(now)
            return
        self._desk.put(replace_number(self._desk.text, now, number.choices[place]))
        self._show(self._at(now.start))


def _nearest(choices: tuple[int | float, ...], value: float) -> int:
    return min(range(len(choices)), key=lambda place: abs(choices[place] - value))
