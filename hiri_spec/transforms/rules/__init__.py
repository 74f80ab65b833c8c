"""The rules of scaling up, one a file: each takes a draft and changes it, with a note of what and why."""

from __future__ import annotations

from collections.abc import Callable

from ..draft import Draft
from .blocks import make_hr
from .downsample import make_irds
from .norm import make_norms
from .stage import add_stages
from .stem import make_stem
from .streams import make_streams

RULES = {
    "stem": "the stem becomes an HR-stem",
    "stage": "one more stage in front for each doubling, so that the old ones see the map sizes they saw",
    "blocks": "the stages in front, and what was the first one, are made of HR blocks, two for each block replaced",
    "streams": "the first stream of an HRNet, the one of high resolution, is made of HR blocks",
    "downsample": "downsamplings become IRDS, a in front, b for the last two; those that are IRDS stay",
    "norm": "batch norm in the early stages; the last two keep theirs",
}
"""What each rule does, by its name; each can be switched off."""

APPLY: dict[str, Callable[[Draft], None]] = {
    "stage": add_stages,
    "blocks": make_hr,
    "streams": make_streams,
    "downsample": make_irds,
    "norm": make_norms,
    "stem": make_stem,
}
"""The rules in the order in which they are applied."""
