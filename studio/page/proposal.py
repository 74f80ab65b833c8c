"""A change that the page offers: shown as differences first, applied only when that is wanted."""

from __future__ import annotations

from nicegui import ui

from hiri_spec.cost import cost
from hiri_spec.differences import compare
from hiri_spec.schema import ModelSpec

from .asking import ask
from .desk import Desk
from .markup import changes_table, cost_change_table, text_difference


async def propose(desk: Desk, title: str, asked: str, before: ModelSpec, after: ModelSpec, text: str) -> bool:
    """Ask whether a text shall take the place of the desk's, and if so write it there; whether it did.

    `asked` is the text that the change is to; where that was changed meanwhile it is not written over.
    """
    pairs = [(cost(before), cost(after))]
    if desk.sizes is not None:
        pairs = [(cost(before, size), cost(after, size)) for size in desk.sizes]
        if after.size not in desk.sizes:  # it was scaled, from its own size to another
            pairs = [(cost(before), cost(after)), *pairs]
    with ui.dialog() as dialog, ui.card().classes("studio-dialog"):
        ui.label(title).classes("studio-heading").props('role="heading" aria-level="2"')
        with ui.element("div").classes("studio-dialog-body"):
            ui.html(cost_change_table(pairs), sanitize=False)
            ui.html(changes_table(compare(before, after)), sanitize=False)
            ui.html(text_difference(asked, text), sanitize=False)
        with ui.row().classes("studio-buttons"):
            ui.button("Cancel", on_click=lambda: dialog.submit(False)).props("flat no-caps")
            ui.button("Apply", on_click=lambda: dialog.submit(True)).props("no-caps unelevated autofocus")
    dialog.props(f'aria-label="{title}"')
    accepted = bool(await ask(dialog))
    if accepted and desk.text != asked:
        ui.notify("The text was changed meanwhile; nothing was applied.", type="warning")
        return False
    if accepted:
        desk.put(text)
        ui.notify("Applied; Undo takes it back.", type="positive")
    return accepted
