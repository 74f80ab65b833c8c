"""What the browser is asked, and answers by a script."""

from __future__ import annotations

from typing import Any

from nicegui import ui

PATIENCE_S = 60.0
"""A browser that is loading the page on a busy machine may take its time; what it then answers is still wanted."""


async def ask_browser(script: str) -> Any:
    """What a script returns in the browser that shows the page; None if the browser has left."""
    return await ui.run_javascript(script, timeout=PATIENCE_S)
