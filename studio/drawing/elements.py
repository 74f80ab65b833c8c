"""Pieces of SVG as text: every value that a user may have written is escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

CHARACTER = 0.6
"""Width of a character of the fonts that pages use, on the wide side, as a share of the font's size."""


def element(name: str, *inside: str, **attributes: str | float | None) -> str:
    """An element; underscores in names of attributes become hyphens, and those that are None are left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(inside)}</{name}>" if inside else f"<{name}{written}/>"


def text(x: float, y: float, words: str, *, size: float = 12, fill: str, **attributes: str | float | None) -> str:
    """A line of text with its baseline at y."""
    return element("text", escape(words), x=x, y=y, font_size=size, fill=fill, **attributes)


def title(words: str) -> str:
    """What is told of an element when the pointer rests on it."""
    return element("title", escape(words))


def polygon(points: Iterable[tuple[float, float]], **attributes: str | float | None) -> str:
    """A closed shape."""
    return element("polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), **attributes)


def path(points: Iterable[tuple[float, float]], **attributes: str | float | None) -> str:
    """A line through points."""
    steps = " ".join(f"{'L' if index else 'M'}{x:.1f} {y:.1f}" for index, (x, y) in enumerate(points))
    return element("path", d=steps, fill="none", **attributes)


def fitted(words: str, width: float, size: float) -> str:
    """A text, shortened to what has room in a width in pixels."""
    most = max(1, int(width / (CHARACTER * size)))
    return words if len(words) <= most else words[: most - 1] + "…"


def fitted_name(dotted: str, width: float, size: float) -> str:
    """A dotted name, without as many of its first parts as it takes to have room in a width in pixels."""
    shown = dotted
    while "." in dotted and CHARACTER * size * len(shown) > width:
        dotted = dotted.partition(".")[2]
        shown = f"…{dotted}"
    return fitted(shown, width, size)


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
