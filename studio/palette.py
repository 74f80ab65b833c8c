"""What is behind the pictures and their texts, in light and in dark."""

from __future__ import annotations

from dataclasses import dataclass

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
"""Named in full, since a chart measures its texts before they are shown."""


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
    warning="#a3121f",
    series=("#0a78c2", "#d07800", "#3a1758", "#8e8a92"),
)
DARK = Theme(
    paper="#1d1d1d",
    panel="#2b2e31",
    ink="#eef1f4",
    faint="#b3bcc5",
    line="#8b959f",
    grid="#3a3f44",
    accent="#7fb8ff",
    warning="#ff8474",
    series=("#3d9be0", "#ffc83d", "#f4f1ff", "#8a8290"),
)


def theme_of(*, dark: bool) -> Theme:
    """The colours for a light or a dark page."""
    return DARK if dark else LIGHT
