"""The whole drawing of a network: its stages, and what is opened below them."""

from __future__ import annotations

from hiri_spec.cost import cost
from hiri_spec.graph import Graph, Shapes
from hiri_spec.network import Resolution, Segment, segments, trace_part
from hiri_spec.quantities import format_resolution
from hiri_spec.schema import ModelSpec

from ..palette import FONT, theme_of
from .elements import element
from .inside import draw_inside, find_opened
from .picture import draw_stages, stages_height
from .stages import GAP, LEFT, lay_out_stages

STYLE = (
    ".hiri-drawing [role=button]{cursor:pointer;outline:none}"
    ".hiri-drawing [role=button]:hover>.hit{stroke:ACCENT;stroke-dasharray:3 3}"
    ".hiri-drawing [role=button]:focus-visible>.hit{stroke:ACCENT;stroke-width:3}"
    ".hiri-drawing text{pointer-events:none}"
)


def draw(spec: ModelSpec, size: Resolution | None = None, *, opened: str | None = None, dark: bool = False) -> str:
    """A network at an image size (its own by default) as SVG with buttons, for a page.

    A button has a `data-scope`, which as `opened` draws the inside of that stage, run or group of operations as well;
    a scope that the network doesn't have opens nothing. Raises SpecError for a size that the network doesn't take.
    """
    theme = theme_of(dark=dark)
    total = cost(spec, size)
    traced: list[tuple[Segment, Graph]] = []
    shape: Shapes = (spec.in_channels, *total.resolution)
    for segment in segments(spec):
        graph = trace_part(segment.part, shape, segment.channels)
        traced.append((segment, graph))
        shape = graph.output_shape
    layout = lay_out_stages(total, [(segment, graph.output_shape) for segment, graph in traced])
    inside = find_opened(traced, opened)
    height = stages_height(layout)
    width = layout.width
    pieces = list(draw_stages(layout, None if inside is None else inside.segment, theme))
    if inside is not None:
        pieces.append(draw_inside(inside, LEFT, height + GAP, theme))
        width, height = max(width, inside.width + 2 * LEFT), height + inside.height + 2 * GAP
    told = f"{spec.name} at {format_resolution(total.resolution)} pixels"
    sums = f"{total.params / 1e6:.2f} M parameters, {total.macs / 1e9:.3f} GMACs"
    spoken = f"{told}: {len(spec.stages)} stage{'s' * (len(spec.stages) != 1)}, {sums}"
    return element(
        "svg",
        element("desc", "; ".join(column.spoken for column in layout.columns)),
        element("style", STYLE.replace("ACCENT", theme.accent)),
        *pieces,
        xmlns="http://www.w3.org/2000/svg",
        class_="hiri-drawing",
        role="group",
        aria_label=spoken,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=round(width),
        height=round(height),
        font_family=FONT,
        style=f"width:100%;height:auto;min-width:{0.86 * width:.0f}px;max-width:{1.4 * width:.0f}px;display:block",
    )
