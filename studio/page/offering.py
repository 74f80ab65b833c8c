"""What lists on the page offer, which changes while they may be open."""

from __future__ import annotations

from typing import Any

from nicegui import ui


def offer(choice: ui.select, options: list[Any] | dict[Any, str]) -> None:
    """Let a list offer these and keep what is chosen; where it does already, it is left alone.

    Whoever has it open would lose what is typed there.
    """
    if options != choice.options:
        choice.set_options(options, value=choice.value)
