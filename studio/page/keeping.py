"""What the browser keeps of a page that is loaded again: the address of what is open, and a text that was not saved."""

from __future__ import annotations

import json
from typing import Any

from nicegui import ui
from pydantic import BaseModel, ValidationError

from .browser import ask_browser
from .desk import Desk

PLACE = """
const address = new URL(location.href);
for (const name of ["file", "builtin"]) address.searchParams.delete(name);
for (const [name, value] of %s) address.searchParams.set(name, value);
address.hash = "";
history.replaceState(null, "", address);
"""
TAKE = "return sessionStorage.getItem('studio-draft');"
DROP = "sessionStorage.removeItem('studio-draft');"


class Draft(BaseModel):
    """A text that was not saved, and what it belongs to."""

    name: str
    path: str | None
    version: str | None
    text: str


def draft_of(desk: Desk) -> str:
    """What editor.js puts beside the text when the page goes."""
    return json.dumps({"name": desk.name, "path": desk.path, "version": desk.version})


def place(client: Any, **named: str) -> None:
    """Let the address name what is open, so that loading it again opens that; before the page is there, it does."""
    if client.has_socket_connection:
        with client:
            ui.run_javascript(PLACE % json.dumps(list(named.items())))


async def take_draft(desk: Desk) -> bool:
    """Put a text back that was not saved when the page went, if it belongs to what is open; whether there was one."""
    kept = await ask_browser(TAKE)
    try:
        draft = Draft.model_validate_json(kept or "")
    except ValidationError:  # nothing is kept
        return False
    if draft.path != desk.path:
        return False
    ui.run_javascript(DROP)
    if draft.path is None:
        desk.suggested = draft.name
    else:
        desk.version = draft.version  # so that what another program wrote since is not written over unseen
    desk.put(draft.text)
    return True
