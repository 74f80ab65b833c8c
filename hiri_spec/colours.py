"""Colours of blocks, which colour-blind people tell apart as well, and the text that is readable on them."""

from __future__ import annotations

import zlib

COLOURS = {
    "hr": "#2b7a8f",
    "cffn": "#f5a030",
    "transformer": "#b3201f",
    "ffn": "#f0d08c",
    "davit": "#33196b",
    "swin": "#561423",
    "streams": "#62c4f5",
    "norm": "#dadada",
    "stem": "#8446c8",
    "head": "#9a9a9a",
}
"""Told apart with each of the three kinds of colour blindness too; a test simulates them."""
SPARE_COLOURS = ("#0a5c36", "#e065b0", "#7a8f00", "#3c50d8", "#ff8fc7", "#3f6f2f")
INK, WHITE = "#16202a", "#ffffff"
LETTERS = {
    "hr": "HR",
    "cffn": "C",
    "transformer": "T",
    "ffn": "F",
    "davit": "D",
    "swin": "S",
    "streams": "St",
    "norm": "N",
}


def colour_of(kind: str) -> str:
    """The colour of a block type; one unknown here gets a stable one by its name."""
    return COLOURS.get(kind) or SPARE_COLOURS[zlib.crc32(kind.encode()) % len(SPARE_COLOURS)]


def letters_of(kind: str) -> str:
    """One or two letters that stand for a block type, so that nobody depends on its colour."""
    return LETTERS.get(kind) or kind[:2].upper()


def text_on(colour: str) -> str:
    """Dark or white, whichever is read more easily on a colour: 4 to 1 at the least."""
    return max((INK, WHITE), key=lambda text: contrast(text, colour))


def contrast(one: str, other: str) -> float:
    """How much two colours stand out from each other, 1 to 21 (WCAG 2.1)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
