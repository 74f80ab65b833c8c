"""What a run of detection or segmentation leaves for people to read: its curves and its card."""

from __future__ import annotations

from collections.abc import Callable

from ..train.card import seal_card
from ..train.curves import read_metrics, write_curves
from ..train.run_folder import CARD_NAME, METRICS_NAME
from .card import dense_card_text
from .goal import score_of
from .run_folder import DenseRunFolder


def write_dense_report(folder: DenseRunFolder, tell: Callable[[str], None]) -> None:
    """Write curves.png and README.md anew from what the folder has; to be called when a run ends, however it does.

    `tell` hears if the card was changed by hand and stays. Raises SpecError where they can't be written.
    """
    metrics = folder.path / METRICS_NAME
    rows = read_metrics(metrics) if metrics.exists() else []
    if rows:
        score, label = score_of(folder.read_run().task.kind)
        write_curves(folder, score=score, label=label)
    if not seal_card(folder.path / CARD_NAME, lambda: dense_card_text(folder, rows)):
        tell(f"{folder.path / CARD_NAME} was changed by hand and stays as it is")
