"""Reading and writing amounts with units: "5gflops", "35m", "448x672", "90s", 5.009 G, 18.4 MiB, 1:23."""

from __future__ import annotations

import re

from .errors import Problem, SpecError

MAX_NUMBER = 10**15
"""No number of a spec is larger, so that sums and products stay exact and can be told."""
MAX_NAME = 100
"""Characters in the name of a network or a run, which stands in the names of all that it holds."""
SMALLEST_SIDE = 32
"""A smaller image would leave nothing of a map after five halvings."""
LARGEST_SIDE = 10**7
"""No image has more pixels a side."""
LARGEST_IMAGE_SIDE = 16_384
"""No image that is computed, not only counted, is longer, in pixels: it takes 3 GiB then, its maps many times that."""

_PREFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_SECONDS = {"ms": 1e-3, "": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_TIME = re.compile(r"\s*([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*(ms|s|m|min|h|d|)\s*", re.IGNORECASE | re.ASCII)
_AMOUNT = re.compile(r"\s*([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*([kmgt]?)([a-z]*)\s*", re.IGNORECASE)


def format_count(count: int, noun: str) -> str:
    """A number of things: 1 epoch, 1,200 epochs."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def format_rate(per_second: float) -> str:
    """How many a second: 1,200 or 35, and two digits of fewer than 10: 4.2, 0.63."""
    return f"{per_second:.2g}" if per_second < 9.95 else f"{per_second:,.0f}"


def parse_amount(text: str, *, flag: str, units: tuple[str, ...], example: str) -> int:
    """Read an amount such as "5gflops", "5gmacs" or "5e9"; raises SpecError that shows an example."""
    match = _AMOUNT.fullmatch(text)
    if match is None or match[3].lower() not in ("", *units):
        raise SpecError(Problem(f"{text!r} is not an amount; write it like {example}", flag, code="amount"))
    value = float(match[1]) * _PREFIXES[match[2].lower()]
    if not 1 <= value < 1e18:
        raise SpecError(Problem(f"{text!r} is {value:g}; it must be at least 1 and below 1e18", flag, code="amount"))
    return round(value)


def parse_macs(text: str, flag: str = "--budget") -> int:
    """Read a number of MACs; one "FLOP" of the papers is one MAC, so gflops and gmacs are the same."""
    return parse_amount(text, flag=flag, units=("flops", "flop", "macs", "mac"), example="5gflops, 5gmacs or 5e9")


def parse_params(text: str, flag: str = "--max-params") -> int:
    """Read a number of parameters."""
    return parse_amount(text, flag=flag, units=("params", "param"), example="35m or 3.5e7")


def parse_seconds(text: str, flag: str = "--trial-timeout") -> float:
    """Read a time such as "90s", "5m", "1.5h" or "20ms"; a number alone is in seconds."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise SpecError(Problem(f"{text!r} is no time; write it like 90s, 5m or 1.5h", flag, code="amount"))
    value = float(match[1]) * _SECONDS[match[2].lower()]
    if not 0 < value < 1e9:
        raise SpecError(Problem(f"{text!r} is {value:g} seconds; use more than 0 and below 1e9", flag, code="amount"))
    return value


def parse_resolutions(text: str, flag: str = "--resolution") -> list[tuple[int, int]]:
    """Read "224,448,512x1024" as heights and widths in pixels."""
    sizes = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,9})\s*(?:x\s*([0-9]{1,9})\s*)?", part)
        if match is None:
            message = f"{part.strip()!r} is no image size; write a side or HEIGHTxWIDTH, like 448 or 512x1024"
            raise SpecError(Problem(message, flag, code="resolution"))
        size = int(match[1]), int(match[2] or match[1])
        for side in size:
            if not SMALLEST_SIDE <= side <= LARGEST_SIDE:
                what = "small" if side < SMALLEST_SIDE else "large"
                message = f"{side} is too {what}; use {SMALLEST_SIDE} to {LARGEST_SIDE:,} pixels a side"
                raise SpecError(Problem(message, flag, code="resolution"))
        sizes.append(size)
    return sizes


def format_resolution(size: tuple[int, int]) -> str:
    """448 for a square, 512x1024 otherwise (height first)."""
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


def format_amount(value: float) -> str:
    """Four significant digits or so, with a prefix: 5.009 G."""
    for prefix, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= scale:
            return f"{value / scale:.3f} {prefix}" if prefix in "TG" else f"{value / scale:.2f} {prefix}"
    return f"{value:g}"


def format_bytes(value: float) -> str:
    """Binary units: 18.4 MiB."""
    for unit, scale in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if abs(value) >= scale:
            return f"{value / scale:.1f} {unit}"
    return f"{value:.0f} B"
