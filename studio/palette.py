"""What is behind the pictures and their texts, in light and in dark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a picture that are not those of blocks."""

    paper: str
    panel: str
    """Behind boxes and bars."""
    ink: str
    faint: str
    """Of texts that matter less; still 4.5 to 1 on paper and panel."""
    line: str
    """Of axes and arrows: 3 to 1 on paper."""
    grid: str
    accent: str
    """Of what is chosen or focused."""
    warning: str
    """Of what is over the budget."""
    series: tuple[str, ...]
    """Of lines and bars that stand for no block; told apart by colour-blind people, 3 to 1 on paper."""


LIGHT = Theme(
    paper="#ffffff",
    panel="#f1f3f5",
    ink="#16202a",
    faint="#56616c",
    line="#7b8691",
    grid="#e1e5e9",
    accent="#0b63c5",
    warning="#b3201f",
    series=("#0072b2", "#b86500", "#6b2c91", "#5d6873"),
)
DARK = Theme(
    paper="#1d1d1d",
    panel="#2b2e31",
    ink="#eef1f4",
    faint="#b3bcc5",
    line="#8b959f",
    grid="#3a3f44",
    accent="#7fb8ff",
    warning="#ff8f80",
    series=("#56b4e9", "#f0a030", "#c58be0", "#aab4be"),
)


def theme_of(*, dark: bool) -> Theme:
    """The colours for a light or a dark page."""
    return DARK if dark else LIGHT
