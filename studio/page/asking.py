"""Dialogs: what is asked before anything is done."""

from __future__ import annotations

from typing import Any

from nicegui import ui


async def ask(dialog: ui.dialog) -> Any:
    """Show a dialog and wait for its answer, None if it is closed without one; it is made for this one time."""
    # only once it is hidden, or the keyboard's focus would not come back to where it was
    dialog.on("hide", lambda: dialog.delete())
    return await dialog
