"""A network as a picture: SVG for papers and READMEs, Mermaid for Markdown.

The layout is plain data (`lay_out`), so that it can be tested without looking; rendering it is another matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from xml.sax.saxutils import escape

from .colours import colour_of, text_on
from .cost import CONVENTION, cost
from .errors import Problem, SpecError, suggest
from .files import SpecLike, as_spec
from .graph import Shape, Shapes, streams_of
from .network import Resolution, Segment, read_resolution, segments, trace_part
from .quantities import format_resolution
from .schema import ModelSpec

INK, PAPER, FAINT = "#22303c", "#fbfbf9", "#5d6873"
CHARACTER = 7.2
"""Width of a character of the label font in pixels, on the wide side."""
MARGIN, GAP, TOP, TALLEST, SHORTEST = 24.0, 20.0, 84.0, 190.0, 44.0
MERMAID_LEVELS = ("stage", "block", "op")


@dataclass(frozen=True, slots=True)
class Box:
    """One coloured piece of the picture: a stem, a run of blocks, a head; or a downsampling, drawn as a wedge."""

    name: str
    kind: str
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float
    is_wedge: bool = False


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands under a group of boxes: its name, output and shares of cost."""

    name: str
    output: str
    macs_share: float
    params_share: float
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that is drawn, with its place in pixels."""

    title: str
    subtitle: str
    boxes: tuple[Box, ...]
    captions: tuple[Caption, ...]
    width: float
    height: float


def format_output(shapes: Shapes) -> str:
    """What comes out of a stage: 14x14 x 320, or 1000 for a vector; of several streams the first, and how many more."""
    shape, *more = streams_of(shapes)
    text = str(shape[0]) if len(shape) == 1 else f"{shape[1]}x{shape[2]} x {shape[0]}"
    return f"{text} + {len(more)} more" if more else text


def box_lines(segment: Segment) -> tuple[str, ...]:
    """What is written in a box."""
    if segment.repeats is None:
        return (segment.kind,)
    lines = [f"{segment.kind} x{segment.repeats}", f"width {getattr(segment.part, 'width', '?')}"]
    heads = getattr(segment.part, "heads", None)
    return (*lines, f"heads {heads}") if heads else tuple(lines)


def lay_out(spec: ModelSpec, resolution: Resolution | None = None, *, by: str = "stage") -> Layout:
    """Place every box and caption; heights follow the logarithm of the feature map's side."""
    total = cost(spec, resolution)
    rows = {row.name: row for row in total.by_stage()}
    tallest_side = max(total.resolution)
    boxes: list[Box] = []
    captions: list[Caption] = []
    x = MARGIN
    shape: Shapes = (spec.in_channels, *total.resolution)
    groups: dict[str, list[tuple[Segment, Shape, Shapes]]] = {}
    for segment in segments(spec):
        before = streams_of(shape)[0]
        shape = trace_part(segment.part, shape, segment.channels).output_shape
        name = segment.scope if segment.stage is None else f"stages.{segment.stage}"
        groups.setdefault(name, []).append((segment, before, shape))
    for name, members in groups.items():
        began = x
        row = rows[name]
        name_shown = name.replace("stages.", "stage ")
        output = format_output(members[-1][2])
        for segment, before, outputs in members:
            out = streams_of(outputs)[0]
            height = _height(max(out[1:], default=1), tallest_side)
            is_wedge = segment.stage is not None and segment.repeats is None
            for label in _copies(segment, by):
                width = 26.0 if is_wedge else max(48.0, 16 + CHARACTER * max(map(len, label)))
                if is_wedge:
                    height = _height(max(before[1:]), tallest_side)
                boxes.append(Box(segment.scope, segment.kind, label, x, _top(height), width, height, is_wedge))
                x += width + 4
        share = row.macs / max(1, total.macs), row.params / max(1, total.params)
        needed = max(CHARACTER * max(len(name_shown), len(output)), 84.0)
        x = max(x - 4, began + needed)
        captions.append(Caption(name_shown, output, *share, began, x - began))
        x += GAP
    title = spec.name if len(spec.name) <= 60 else spec.name[:59] + "…"
    sums = f"{total.params / 1e6:.2f} M params · {total.macs / 1e9:.3f} GMACs"
    subtitle = f"{format_resolution(total.resolution)} px · {sums}"
    longest = max(CHARACTER * 1.5 * len(title), CHARACTER * max(len(subtitle), len(CONVENTION)))
    kinds = len({box.kind for box in boxes})
    width = max(x - GAP + MARGIN, 2 * MARGIN + longest, 2 * MARGIN + 110.0 * kinds)
    return Layout(title, subtitle, tuple(boxes), tuple(captions), width, TOP + TALLEST + 128)


def _copies(segment: Segment, by: str) -> list[tuple[str, ...]]:
    """The labels of the boxes that a segment becomes: one, or one a block for shallow runs drawn by block."""
    if segment.stage is not None and segment.repeats is None:
        return [(segment.kind,)]
    if by == "stage" or segment.repeats is None:
        return [box_lines(segment)]
    shown = min(segment.repeats, 6)
    copies: list[tuple[str, ...]] = [(segment.kind, str(index)) for index in range(shown)]
    return [*copies, ("…", f"x{segment.repeats}")] if shown < segment.repeats else copies


def _height(side: int, tallest_side: int) -> float:
    share = log2(max(1, side) + 1) / log2(tallest_side + 1)
    return min(TALLEST, SHORTEST + (TALLEST - SHORTEST) * share)


def _top(height: float) -> float:
    return TOP + (TALLEST - height) / 2


def draw_svg(spec: SpecLike, resolution: Resolution | None = None, *, by: str = "stage") -> str:
    """The architecture as a self-contained SVG picture, by "stage" or by "block".

    Raises SpecError for another level of detail.
    """
    if by not in ("stage", "block"):
        raise SpecError(Problem(f"{by!r} is none of stage, block; {suggest(by, ('stage', 'block'))}", "by"))
    layout = lay_out(as_spec(spec), resolution, by=by)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{layout.width:.0f}" height="{layout.height:.0f}" '
        f'viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" font-family="system-ui, sans-serif" fill="{INK}">',
        f"<title>{escape(layout.title)}, {escape(layout.subtitle)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>',
        _text(MARGIN, 36, layout.title, size=20, weight=600),
        _text(MARGIN, 58, layout.subtitle, colour=FAINT),
        f'<line x1="{MARGIN}" y1="{TOP + TALLEST / 2}" x2="{layout.boxes[-1].x:.1f}" y2="{TOP + TALLEST / 2}" '
        f'stroke="{FAINT}" stroke-width="1.5"/>',
        *(_draw_box(box) for box in layout.boxes),
        *(_draw_caption(caption) for caption in layout.captions),
        *_draw_legend(layout),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(
    x: float, y: float, text: str, *, size: int = 12, weight: int = 400, colour: str = INK, anchor: str = "start"
) -> str:
    style = f'font-size="{size}" font-weight="{weight}" fill="{colour}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'


def _draw_box(box: Box) -> str:
    colour = colour_of(box.name if box.name in ("stem", "head") else box.kind)
    middle = box.x + box.width / 2
    if box.is_wedge:
        low, high = box.y + box.height * 0.12, box.y + box.height * 0.88
        corners = f"{box.x},{box.y} {box.x + box.width},{low} {box.x + box.width},{high} {box.x},{box.y + box.height}"
        label = (
            f'<text transform="translate({middle + 4:.1f},{box.y + box.height / 2:.1f}) rotate(-90)" font-size="11" '
            f'fill="#fff" text-anchor="middle">{escape(box.lines[0])}</text>'
        )
        return f'<polygon points="{corners}" fill="{FAINT}"/>{label}'
    first = box.y + box.height / 2 + 4 - 7.5 * (len(box.lines) - 1)
    text = text_on(colour)
    lines = [
        _text(middle, first + 15 * index, line, weight=600 if index == 0 else 400, colour=text, anchor="middle")
        for index, line in enumerate(box.lines)
    ]
    shape = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="4"'
    return f'<rect {shape} fill="{colour}"/>' + "".join(lines)


def _draw_caption(caption: Caption) -> str:
    y = TOP + TALLEST + 22
    parts = [
        _text(caption.x, y, caption.name, weight=600),
        _text(caption.x, y + 16, caption.output, size=11, colour=FAINT),
    ]
    full = min(caption.width, 84.0) - 34
    for row, (share, colour) in enumerate(((caption.macs_share, INK), (caption.params_share, FAINT))):
        top = y + 25 + 13 * row
        length = max(0.5, full * share)
        parts.append(f'<rect x="{caption.x:.1f}" y="{top:.1f}" width="{length:.1f}" height="7" fill="{colour}"/>')
        parts.append(_text(caption.x + length + 4, top + 7, f"{100 * share:.0f} %", size=9, colour=colour))
    return "".join(parts)


def _draw_legend(layout: Layout) -> list[str]:
    y = layout.height - 18
    kinds = dict.fromkeys(box.kind for box in layout.boxes if not box.is_wedge and box.name.startswith("stages."))
    parts = []
    x = MARGIN
    for kind in kinds:
        parts.append(f'<rect x="{x:.1f}" y="{y - 10}" width="12" height="12" rx="2" fill="{colour_of(kind)}"/>')
        parts.append(_text(x + 18, y, kind, size=11))
        x += 30 + CHARACTER * len(kind)
    x = max(x + 8, MARGIN)
    bars = "bars: share of MACs (dark) and of params (grey)"
    parts.append(_text(x, y, bars, size=10, colour=FAINT) if x + 5.6 * len(bars) < layout.width else "")
    parts.append(_text(MARGIN, y - 19, CONVENTION, size=10, colour=FAINT))
    return parts


def draw_mermaid(spec: SpecLike, resolution: Resolution | None = None, *, by: str = "stage") -> str:
    """The architecture as a Mermaid flowchart: by "stage", by "block", or by "op" with one of each run's blocks opened.

    Raises SpecError for another level of detail.
    """
    if by not in MERMAID_LEVELS:
        raise SpecError(Problem(f"{by!r} is none of {', '.join(MERMAID_LEVELS)}; {suggest(by, MERMAID_LEVELS)}", "by"))
    spec = as_spec(spec)
    if by == "op":
        return _mermaid_operations(spec, resolution)
    total = cost(spec, resolution)
    rows = total.by_stage() if by == "stage" else total.by_block()
    lines = ["flowchart LR", f'  image(["{_label(spec.name)}<br/>{format_resolution(total.resolution)} px"])']
    before = "image"
    for row in rows:
        identity = row.name.replace(".", "_")
        label = (
            f"{row.name}<br/>{_label(row.kind)}<br/>{format_output(row.output or ())}<br/>{row.macs / 1e6:,.1f} MMACs"
        )
        lines += [f'  {identity}["{label}"]', f"  {before} --> {identity}"]
        before = identity
    return "\n".join(lines) + "\n"


def _mermaid_operations(spec: ModelSpec, resolution: Resolution | None) -> str:
    lines = ["flowchart LR"]
    shape: Shapes = (spec.in_channels, *read_resolution(spec, resolution))
    before: list[str] = []
    for segment in segments(spec):
        traced = trace_part(segment.part, shape, segment.channels)
        scope = segment.scope.replace(".", "_")
        times = f" x{segment.repeats}" if segment.repeats else ""
        lines.append(f'  subgraph {scope}["{segment.scope}: {_label(segment.kind)}{times}"]')
        for index, node in enumerate(traced.nodes):
            label = f"{node.name}<br/>{_label(node.op.label)}<br/>{format_output(node.shape)}"
            lines.append(f'    {scope}_{index}["{label}"]')
            lines += [f"    {scope}_{source} --> {scope}_{index}" for source in node.inputs]
        lines.append("  end")
        lines += [f"  {last} --> {scope}_{index}" for last, index in zip(before, traced.inputs, strict=False)]
        before = [f"{scope}_{index}" for index in traced.outputs]
        shape = traced.output_shape
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    return escape(text).replace('"', "#quot;")
