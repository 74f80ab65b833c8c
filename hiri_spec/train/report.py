"""What a run leaves for people to read: its curves and its model card."""

from __future__ import annotations

from collections.abc import Callable

from .card import write_card
from .curves import write_curves
from .run_folder import CARD_NAME, METRICS_NAME, RunFolder


def write_report(folder: RunFolder, tell: Callable[[str], None]) -> None:
    """Write curves.png and README.md anew from what the folder has; to be called when a run ends, however it does.

    `tell` hears if the card was changed by hand and stays. Raises SpecError where they can't be written.
    """
    if (folder.path / METRICS_NAME).exists():
        write_curves(folder)
    if not write_card(folder):
        tell(f"{folder.path / CARD_NAME} was changed by hand and stays as it is")
