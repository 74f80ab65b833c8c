"""The inside of one part of a network: which is opened, and its operations as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hiri_spec.colours import colour_of
from hiri_spec.graph import Graph
from hiri_spec.network import Segment
from hiri_spec.quantities import format_amount
from hiri_spec.tables import format_shape

from ..palette import Theme
from .elements import CHARACTER, element, fitted, fitted_name, path, text, title
from .flow import BOX_WIDTH, Box, Flow, Line, lay_out_flow
from .pieces import Inside, inside_of

Traced = Sequence[tuple[Segment, Graph]]
HEAD, FOOT = 64.0, 26.0
CAPTION = "%, bars: of the block's MACs; dashed: only the size is used"
SMALL, LABEL = 11.0, 12.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A part of a network that is shown from the inside; `scope` is what of its graph, or empty for all of it."""

    segment: Segment
    graph: Graph
    scope: str
    inside: Inside
    flow: Flow
    beside: tuple[tuple[str, str], ...]
    """What else can be opened from here: scope and label."""

    @property
    def path(self) -> str:
        """The scope in the network."""
        return f"{self.segment.scope}.{self.scope}" if self.scope else self.segment.scope

    @property
    def colour(self) -> str | None:
        """That of the block, the stem or the head; downsampling has none."""
        if self.segment.stage is None:
            return colour_of(self.segment.scope)
        return None if self.segment.repeats is None else colour_of(self.segment.kind)

    @property
    def width(self) -> float:
        """In pixels, without margins."""
        return self.flow.width

    @property
    def height(self) -> float:
        """In pixels, the heading included."""
        return HEAD + self.flow.height + FOOT


def find_opened(traced: Traced, opened: str | None) -> Opened | None:
    """The part that a scope names: a stage's first run for `stages.0`; None for what isn't there."""
    if not opened:
        return None
    for segment, graph in traced:
        is_run = segment.stage is not None and segment.repeats is not None
        if is_run and opened == f"stages.{segment.stage}":
            scope = ""
        elif opened == segment.scope or opened.startswith(f"{segment.scope}."):
            scope = opened[len(segment.scope) + 1 :]
        else:
            continue
        first, _, rest = scope.partition(".")
        inside = inside_of(graph, rest if is_run and first.isdigit() else scope)
        if inside is None:
            return None
        scope = rest if is_run and first.isdigit() else scope
        return Opened(segment, graph, scope, inside, lay_out_flow(inside.pieces), _beside(traced, segment, scope))
    return None


def _beside(traced: Traced, opened: Segment, scope: str) -> tuple[tuple[str, str], ...]:
    """The other parts of the same stage; from within a group the whole part first."""
    own = [] if not scope else [(opened.scope, f"all of {opened.kind}")]
    if opened.stage is None:
        return tuple(own)
    others = [each for each, _ in traced if each.stage == opened.stage and each is not opened]
    return (*own, *((each.scope, f"{each.scope.rpartition('.')[2]}: {each.kind}") for each in others[:6]))


def draw_inside(opened: Opened, x: float, y: float, theme: Theme) -> str:
    """A part from the inside, its upper left corner at x and y."""
    segment = opened.segment
    total = max(1, opened.graph.macs)
    heading = f"{opened.path}: {segment.kind}"
    if segment.repeats is not None and segment.repeats > 1:
        heading += f", one of {segment.repeats:,} equal blocks"
    pieces = [
        text(0, 14, heading, size=LABEL + 1, fill=theme.ink, font_weight=700),
        *_draw_chips(opened, theme),
        *(_draw_line(line, theme) for line in opened.flow.lines),
        *(_draw_box(box, opened, total, theme) for box in opened.flow.boxes),
    ]
    more = f"and {opened.inside.left_out:,} more operations; " if opened.inside.left_out else ""
    pieces.append(text(0, opened.height - 6, more + CAPTION, size=SMALL, fill=theme.faint))
    spoken = f"the inside of {heading}, {len(opened.graph.nodes):,} operations, {format_amount(total)}MACs"
    return element("g", *pieces, transform=f"translate({x:.0f} {y:.0f})", role="group", aria_label=spoken)


def _draw_chips(opened: Opened, theme: Theme) -> Iterator[str]:
    """Buttons to what else can be opened, and one that closes."""
    x = 0.0
    for scope, label in (*opened.beside, ("", "close")):
        width = CHARACTER * SMALL * len(label) + 18
        box = element(
            "rect", class_="hit", x=x, y=24, width=width, height=22, rx=11, fill=theme.panel, stroke=theme.line
        )
        told = text(x + width / 2, 39, label, size=SMALL, fill=theme.ink, text_anchor="middle")
        spoken = f"open {scope}" if scope else "close"
        yield element("g", box, told, role="button", tabindex="0", aria_label=spoken, data_scope=scope)
        x += width + 6


def _draw_line(line: Line, theme: Theme) -> str:
    points = [(x, y + HEAD) for x, y in line.points]
    dashes = "3 3" if line.is_for_size else None
    drawn = path(points, stroke=theme.line, stroke_width=1.5, stroke_linejoin="round", stroke_dasharray=dashes)
    x, y = points[-1]
    wing = 3.5
    if y == points[-2][1]:
        corners = f"{x - 6:.1f},{y - wing:.1f} {x:.1f},{y:.1f} {x - 6:.1f},{y + wing:.1f}"
    else:
        corners = f"{x - wing:.1f},{y - 6:.1f} {x:.1f},{y:.1f} {x + wing:.1f},{y - 6:.1f}"
    return drawn + element("polygon", points=corners, fill=theme.line)


def _draw_box(box: Box, opened: Opened, total: int, theme: Theme) -> str:
    piece = box.piece
    x, y = box.x, box.y + HEAD
    look = "end" if box.is_again else piece.look
    is_solid = look in ("heavy", "group")
    rect = element(
        "rect",
        class_="hit",
        x=x,
        y=y,
        width=BOX_WIDTH,
        height=box.height,
        rx=4 if is_solid else 12,
        fill=theme.panel if is_solid else theme.paper,
        stroke=theme.ink if look in ("end", "group") else theme.line,
        stroke_width=1.5 if look == "group" else 1,
    )
    inside = [title(piece.spoken), rect]
    if not is_solid:
        shown = fitted(_told(box), BOX_WIDTH - 10, SMALL)
        inside.append(text(x + BOX_WIDTH / 2, y + 16, shown, size=SMALL, fill=theme.ink, text_anchor="middle"))
    else:
        inside += _solid(box, x, y, total, opened.colour or theme.line, theme)
    if look == "group":
        scope = f"{opened.path}.{piece.name}"
        return element("g", *inside, role="button", tabindex="0", aria_label=f"{piece.spoken}; open", data_scope=scope)
    return element("g", *inside, role="img", aria_label=piece.spoken)


def _told(box: Box) -> str:
    """What stands in a box of one line."""
    piece = box.piece
    if box.is_again:
        return f"from {fitted_name(piece.name, BOX_WIDTH - 44, SMALL)}"
    return (
        piece.label
        if piece.look == "light" or piece.label.startswith("from ")
        else f"{piece.label} {format_shape(piece.shape)}"
    )


def _solid(box: Box, x: float, y: float, total: int, colour: str, theme: Theme) -> Iterator[str]:
    """An operation with its name, output, and share of the block's MACs as a bar."""
    piece = box.piece
    room = BOX_WIDTH - 16
    name = fitted_name(piece.name, room, SMALL)
    label, name = (piece.label, name) if piece.look == "heavy" else (name, piece.label)
    yield element("rect", x=x, y=y + 2, width=4, height=box.height - 4, fill=colour)
    yield text(x + 9, y + 14, fitted(label, room, SMALL), size=SMALL, fill=theme.ink, font_weight=700)
    yield text(x + 9, y + 27, fitted(name, room, SMALL), size=SMALL, fill=theme.faint)
    share = piece.macs / total
    told = f"{format_shape(piece.shape)}, {100 * share:.0f} %"
    yield text(x + 9, y + 40, fitted(told, room, SMALL), size=SMALL, fill=theme.ink)
    if share > 0:
        yield element("rect", x=x + 9, y=y + 44, width=max(1.0, room * share), height=3, fill=theme.series[0])
