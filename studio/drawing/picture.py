"""The columns of a network's picture as SVG."""

from __future__ import annotations

from collections.abc import Iterator

from hiri_spec.colours import colour_of, letters_of, text_on
from hiri_spec.network import Segment

from ..palette import Theme
from .elements import CHARACTER, element, fitted, path, polygon, text, title
from .stages import (
    LABEL,
    LEFT,
    SLANT_X,
    SLANT_Y,
    SWATCH,
    TALL,
    TOP,
    WEDGE,
    Column,
    Run,
    Slab,
    StagesLayout,
    Wedge,
    column_of,
)

SMALL = 11.0
LINE = 17.0
CAPTION = "To scale: height and slant are a map's sides, length is its channels; a dot is a block."
MOST_DOTS, DOTS_A_ROW = 20, 10
DOT = 5.0
Look = dict[str, str | float | None]


def stages_height(layout: StagesLayout) -> float:
    """How tall the picture of the stages is, its caption included."""
    return _labels_top(layout) + LINE * (layout.rows + 3) + 2 * 26.0 + 30.0


def draw_stages(layout: StagesLayout, opened: Segment | None, theme: Theme) -> Iterator[str]:
    """A group a column, which is a button if it can be opened; `opened` is the part that is."""
    open_scope = None if opened is None else column_of(opened)
    first, last = layout.columns[0], layout.columns[-1]
    ends = ((first.x, layout.middle), (last.x + last.width / 2, layout.middle))
    yield path(ends, stroke=theme.grid, stroke_width=2)
    for column in layout.columns:
        yield _draw_column(column, layout, theme, is_open=column.scope == open_scope)
    yield text(LEFT, stages_height(layout) - 8, CAPTION, size=SMALL, fill=theme.faint)


def _labels_top(layout: StagesLayout) -> float:
    return TOP + TALL + 40


def _draw_column(column: Column, layout: StagesLayout, theme: Theme, *, is_open: bool) -> str:
    bottom = stages_height(layout) - 30
    frame = element(
        "rect",
        class_="hit",
        x=column.x - 4,
        y=2,
        width=column.width + 8,
        height=bottom,
        rx=6,
        fill=theme.panel if is_open else "transparent",
        stroke=theme.accent if is_open else "transparent",
        stroke_width=1.5,
    )
    inside = [title(column.spoken), frame]
    if column.wedge is not None:
        inside.append(_draw_wedge(column.wedge, layout.middle, theme))
    inside += [_draw_slab(slab, theme) for slab in column.slabs]
    inside += _draw_labels(column, layout, theme)
    if not column.scope:
        return element("g", *inside, role="img", aria_label=column.spoken)
    return element(
        "g",
        *inside,
        role="button",
        tabindex="0",
        aria_expanded="true" if is_open else "false",
        aria_label=f"{column.spoken}; {'close' if is_open else 'open'}",
        data_scope=column.scope,
    )


def _draw_wedge(wedge: Wedge, middle: float, theme: Theme) -> str:
    left, right = max(4.0, wedge.before / 2), max(3.0, wedge.after / 2)
    end = wedge.x + WEDGE
    corners = ((wedge.x, middle - left), (end, middle - right), (end, middle + right), (wedge.x, middle + left))
    return polygon(corners, fill=theme.line, stroke=theme.ink, stroke_width=0.75)


def _draw_slab(slab: Slab, theme: Theme) -> str:
    """A front of length by height in the block's colour, and the top and side that the map's width gives it."""
    colour = colour_of(slab.kind)
    x, y, end, bottom = slab.x, slab.y, slab.x + slab.length, slab.y + slab.height
    right, up = SLANT_X * slab.slant, SLANT_Y * slab.slant
    edge: Look = {"stroke": theme.ink, "stroke_width": 0.75, "stroke_linejoin": "round"}
    top = ((x, y), (x + right, y - up), (end + right, y - up), (end, y))
    side = ((end, y), (end + right, y - up), (end + right, bottom - up), (end, bottom))
    front = ((x, y), (end, y), (end, bottom), (x, bottom))
    pieces = [
        polygon(top, fill=colour, **edge),
        polygon(top, fill="#ffffff", fill_opacity=0.35),
        polygon(side, fill=colour, **edge),
        polygon(side, fill="#000000", fill_opacity=0.18),
        polygon(front, fill=colour, **edge),
    ]
    letters = shown_letters(slab.kind)
    if letters and slab.length > 8 + CHARACTER * SMALL * len(letters) and slab.height > SMALL + 4:
        pieces.append(_letters(letters, (x + end) / 2, y + slab.height / 2 + 4, SMALL, text_on(colour)))
    return "".join(pieces)


def shown_letters(kind: str) -> str:
    """The letters of a block; a stem and a head are told by their names."""
    return "" if kind in ("stem", "head") else letters_of(kind)


def _letters(letters: str, x: float, y: float, size: float, fill: str) -> str:
    return text(x, y, letters, size=size, fill=fill, font_weight=700, text_anchor="middle")


def _draw_labels(column: Column, layout: StagesLayout, theme: Theme) -> Iterator[str]:
    x, y = column.x, _labels_top(layout)
    yield _dots(column.runs, x, y - 26, theme)
    yield text(x, y, fitted(column.title, column.width, LABEL + 1), size=LABEL + 1, fill=theme.ink, font_weight=700)
    y += LINE
    for run in column.runs:
        yield swatch(run.kind, x, y, theme)
        label = fitted(run.label, column.width - SWATCH, LABEL)
        yield text(x + SWATCH, y, label, size=LABEL, fill=theme.ink)
        y += LINE
    if column.more_runs:
        yield text(x, y, f"and {column.more_runs:,} more runs", size=SMALL, fill=theme.faint)
    y = _labels_top(layout) + LINE * (layout.rows + 1)
    yield text(x, y, fitted(column.output, column.width, LABEL), size=LABEL, fill=theme.ink)
    y += LINE
    if column.note:
        yield text(x, y, fitted(column.note, column.width, SMALL), size=SMALL, fill=theme.faint)
    for name, share, colour in (
        ("MACs", column.macs_share, theme.series[0]),
        ("params", column.params_share, theme.series[1]),
    ):
        y += LINE if name == "MACs" else 26
        yield from _share(name, share, colour, x, y, column.width, theme)


def _share(name: str, share: float, colour: str, x: float, y: float, width: float, theme: Theme) -> Iterator[str]:
    bar = min(width, 96.0)
    yield text(x, y, name, size=SMALL, fill=theme.faint)
    yield text(x + bar, y, f"{100 * share:.1f} %", size=SMALL, fill=theme.ink, text_anchor="end")
    yield element("rect", x=x, y=y + 4, width=bar, height=5, rx=2, fill=theme.grid)
    if share > 0:
        yield element("rect", x=x, y=y + 4, width=max(1.0, bar * min(1.0, share)), height=5, rx=2, fill=colour)


def swatch(kind: str, x: float, y: float, theme: Theme) -> str:
    """The colour of a block with its letters in it, before a label whose baseline is y."""
    colour = colour_of(kind)
    width, height = SWATCH - 5, 13.0
    box = element("rect", x=x, y=y - 11, width=width, height=height, rx=2, fill=colour, stroke=theme.ink)
    return box + _letters(shown_letters(kind), x + width / 2, y - 1, 10, text_on(colour))


def _dots(runs: tuple[Run, ...], x: float, y: float, theme: Theme) -> str:
    """A small square a block, in its colour; of more than MOST_DOTS only so many, and three points."""
    colours = [colour_of(run.kind) for run in runs for _ in range(min(run.depth, MOST_DOTS + 1))]
    pieces = []
    for index, colour in enumerate(colours[:MOST_DOTS]):
        left = x + (DOT + 2.5) * (index % DOTS_A_ROW)
        top = y - 5 + (DOT + 2.5) * (index // DOTS_A_ROW)
        look: Look = {"fill": colour, "stroke": theme.ink, "stroke_width": 0.5}
        pieces.append(element("rect", x=left, y=top, width=DOT, height=DOT, rx=1, **look))
    if len(colours) > MOST_DOTS:
        pieces.append(text(x + (DOT + 2.5) * DOTS_A_ROW + 2, y + 8, "…", size=SMALL, fill=theme.ink))
    return "".join(pieces)
