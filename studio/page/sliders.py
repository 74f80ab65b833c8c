"""A slider for the number under the cursor, in the steps that the field takes."""

from __future__ import annotations

from dataclasses import replace

from nicegui import ui
from nicegui.events import GenericEventArguments

from ..numbers import Number, number_at, replace_number
from .desk import Desk
from .editor import EditorPanel

ON_SLIDE = "(event) => emit(Number(event.target.value))"


class SliderPanel:
    """Below the editor: the field under the cursor and its legal values."""

    def __init__(self, desk: Desk, editor: EditorPanel) -> None:
        self._desk = desk
        self._number: Number | None = None
        with ui.element("section").classes("studio-slider").props('aria-label="Number under the cursor"'):
            self._label = ui.label("").classes("studio-slider-label")
            with ui.row().classes("studio-slider-row"):
                self._less = ui.button("−", on_click=lambda: self._step(-1)).props('flat dense aria-label="less"')
                # the browser's own: Quasar's gives the role of a slider to what can't have the focus
                self._slider = ui.element("input").props('type=range min=0 max=1 step=1 value=0 aria-label="Value"')
                self._slider.on("input", self._slid, js_handler=ON_SLIDE, throttle=0.05)
                self._more = ui.button("+", on_click=lambda: self._step(1)).props('flat dense aria-label="more"')
        editor.on_cursor.append(self._look)
        self._show(None)

    def _look(self, offset: int) -> None:
        self._show(self._at(offset))

    def _at(self, offset: int) -> Number | None:
        """The number at a place. While it is the same one its choices stay, so that the slider keeps still."""
        found = number_at(self._desk.text, offset, file=self._desk.file, roots=[self._desk.workspace.root])
        shown = self._number
        if found is not None and shown is not None and found.path == shown.path and found.value in shown.choices:
            return replace(found, choices=shown.choices)
        return found

    def _show(self, number: Number | None) -> None:
        self._number = number
        has_steps = number is not None and len(number.choices) > 1
        for button in (self._less, self._more):
            button.set_enabled(has_steps)
        self._slider.props(**({"remove": "disabled"} if has_steps else {"add": "disabled"}))
        if number is None or not has_steps:
            self._label.text = "Put the cursor on a number to change it by a slider."
            return
        choices = number.choices
        self._label.text = f"{number.label}: {number.value}, from {choices[0]} to {choices[-1]}"
        place = _nearest(choices, number.value)
        told = {"max": len(choices) - 1, "value": place, "aria-label": number.label, "aria-valuetext": number.value}
        self._slider.props.update(told)
        self._slider.update()

    def _slid(self, event: GenericEventArguments) -> None:
        if isinstance(event.args, int):
            self._choose(event.args)

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
        self._desk.put(replace_number(self._desk.text, now, number.choices[place]), is_own_step=False)
        self._show(self._at(now.start))


def _nearest(choices: tuple[int | float, ...], value: float) -> int:
    return min(range(len(choices)), key=lambda place: abs(choices[place] - value))
