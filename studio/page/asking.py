"""What is asked before anything is done, and how it is told that something can't be."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from hiri_spec.errors import SpecError

from .desk import words


async def ask(dialog: ui.dialog) -> Any:
    """Show a dialog and wait for its answer, None if it is closed without one; it is made for this one time."""
    # only once it is hidden, or the keyboard's focus would not come back to where it was
    dialog.on("hide", lambda: dialog.delete())
    return await dialog


def refuse(error: SpecError) -> None:
    """Say what is wrong in a notice that stays until it is closed."""
    ui.notify(words(error), type="negative", multi_line=True, close_button="Close", timeout=0)
