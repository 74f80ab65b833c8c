"""A slider for the number under the cursor, in the steps that the field takes."""

from __future__ import annotations

from dataclasses import replace

from nicegui import background_tasks, run, ui
from nicegui.events import GenericEventArguments

from ..numbers import Number, number_at, replace_number
from .desk import Desk
from .editor import EditorPanel

ON_SLIDE = "(event) => emit(Number(event.target.value))"


class SliderPanel:
    """Below the editor: the field under the cursor and its legal values."""

    def __init__(self, desk: Desk, editor: EditorPanel) -> None:
        self._desk = desk
        self._editor = editor
        self._number: Number | None = None
        self._text = ""
        """The text that the number was found in."""
        self._is_asked = False
        self._is_following = False
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

    def _look(self, _offset: int) -> None:
        """Look for the number under the cursor, soon; many moves at once are looked at once."""
        self._is_asked = True
        if not self._is_following:
            self._is_following = True
            background_tasks.create(self._follow(), name="follow the cursor", context=ui.context.client)

    async def _follow(self) -> None:
        try:
            while self._is_asked:
                self._is_asked = False
                await self._find(self._editor.offset)
        finally:
            self._is_following = False

    async def _find(self, offset: int) -> None:
        """Show the number at a place. What was found in a text that has changed since is dropped, and sought again."""
        text, file, root = self._desk.text, self._desk.file, self._desk.workspace.root
        found = await run.io_bound(number_at, text, offset, file=file, roots=[root], shown=self._number)
        if (self._desk.text, self._desk.file) == (text, file):
            self._text = text
            self._show(found)
        else:
            self._look(self._editor.offset)

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

    async def _slid(self, event: GenericEventArguments) -> None:
        if isinstance(event.args, int):
            await self._choose(event.args)

    async def _step(self, by: int) -> None:
        if self._number is not None:
            await self._choose(_nearest(self._number.choices, self._number.value) + by)

    async def _choose(self, place: int) -> None:
        """Write one of the choices; none if by now another number is there, or other choices."""
        number = self._number
        if number is None or not 0 <= place < len(number.choices) or number.choices[place] == number.value:
            return
        path, choice = number.path, number.choices[place]
        if self._text != self._desk.text:  # which has moved on
            await self._find(number.start)
            number = self._number
            if self._text != self._desk.text or number is None or number.path != path or choice not in number.choices:
                return
        text = replace_number(self._text, number, choice)
        now = replace(number, value=choice, end=number.end + len(text) - len(self._text))
        self._text = text
        self._show(now)
        self._desk.put(text, is_own_step=False)


def _nearest(choices: tuple[int | float, ...], value: float) -> int:
    return min(range(len(choices)), key=lambda place: abs(choices[place] - value))
