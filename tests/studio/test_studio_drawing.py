"""The drawing on the page: to scale, complete, whole for any network, and usable without a mouse."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import model_specs
from test_colours import FAR_ENOUGH, VISIONS, distance

import hiri_spec
from hiri_spec import ModelSpec, SpecError
from hiri_spec.colours import contrast
from hiri_spec.cost import cost
from hiri_spec.graph import Graph, Shapes
from hiri_spec.network import Segment, segments, trace_part
from studio.drawing import draw
from studio.drawing.elements import CHARACTER, fitted, fitted_name
from studio.drawing.flow import BOX_WIDTH, lay_out_flow
from studio.drawing.pieces import MOST_PIECES, MOST_SINGLE, Join, Piece, inside_of
from studio.drawing.stages import LONG, MOST_COLUMNS, MOST_RUNS, SMALLEST, TALL, StagesLayout, lay_out_stages
from studio.palette import DARK, LIGHT, Theme

SVG = "{http://www.w3.org/2000/svg}"
BUILT_IN = ("hiri_s", "hiri_b", "hiri_s_6stage", "pvt_v2_b2", "davit_tiny", "hrnet_w18", "tiny")
SIZES = st.sampled_from([(64, 64), (448, 448), (512, 1024), (2048, 64)])


def traced(spec: ModelSpec, size: tuple[int, int] | None = None) -> list[tuple[Segment, Graph]]:
    found = []
    shape: Shapes = (spec.in_channels, *(size or spec.size))
    for segment in segments(spec):
        graph = trace_part(segment.part, shape, segment.channels)
        found.append((segment, graph))
        shape = graph.output_shape
    return found


def graph_of(name: str, scope: str) -> Graph:
    return next(graph for segment, graph in traced(hiri_spec.load(name)) if segment.scope == scope)


def stages_of(spec: ModelSpec, size: tuple[int, int] | None = None) -> StagesLayout:
    outputs = [(segment, graph.output_shape) for segment, graph in traced(spec, size)]
    return lay_out_stages(cost(spec, size), outputs)


def read(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in read(svg).iter(f"{SVG}text")]


def scopes(svg: str) -> list[str]:
    return [each.get("data-scope", "") for each in read(svg).iter() if each.get("role") == "button"]


def many_runs(count: int) -> ModelSpec:
    run = {"block": "cffn", "depth": 1000, "width": 8}
    stages = [[dict(run) for _ in range(count)]]
    return ModelSpec.model_validate({"name": "deep", "stem": {"stem": "conv", "width": 8}, "stages": stages})


def many_stages(count: int) -> ModelSpec:
    run = {"block": "hr", "depth": 1, "width": 8}
    stages = [dict(run) if not index else {**run, "downsample": "irds_a"} for index in range(count)]
    return ModelSpec.model_validate({"name": "long", "stem": {"stem": "hr", "width": 8}, "stages": stages})


@settings(deadline=None, max_examples=30)
@given(spec=model_specs(), size=SIZES)
def test_columns_stand_beside_each_other_in_the_picture(spec: ModelSpec, size: tuple[int, int]) -> None:
    layout = stages_of(spec, size)
    for left, right in pairwise(layout.columns):
        assert left.x + left.width < right.x
    for column in layout.columns:
        for slab in column.slabs:
            assert column.x <= slab.x
            assert slab.x + slab.length <= column.x + column.width + 0.1
            assert slab.y - 0.2 * slab.slant >= 0
            assert slab.height <= TALL
    assert layout.columns[-1].x + layout.columns[-1].width <= layout.width


@settings(deadline=None, max_examples=30)
@given(spec=model_specs(), size=SIZES, dark=st.booleans())
def test_any_network_is_drawn_whole(spec: ModelSpec, size: tuple[int, int], dark: bool) -> None:
    for opened in (None, "stages.0", "stem", "head"):
        svg = draw(spec, size, opened=opened, dark=dark)
        expected = ["stem", *(f"stages.{index}" for index in range(len(spec.stages))), "head"]
        assert scopes(svg)[: len(expected)] == expected


def test_sides_of_maps_are_to_scale() -> None:
    slabs = {column.scope: column.slabs[0] for column in stages_of(hiri_spec.load("hiri_s")).columns}
    assert slabs["stages.0"].height == pytest.approx(2 * slabs["stages.1"].height)
    assert slabs["stages.1"].height == pytest.approx(4 * slabs["stages.3"].height)
    assert slabs["stages.3"].height == slabs["stages.3"].slant


def test_channels_are_to_scale() -> None:
    slabs = {column.scope: column.slabs[0] for column in stages_of(hiri_spec.load("hiri_s")).columns}
    assert slabs["stages.4"].length == LONG
    assert slabs["stages.4"].length == pytest.approx(2 * slabs["stages.3"].length)
    assert slabs["stages.3"].length == pytest.approx(2.5 * slabs["stages.2"].length)


def test_a_wide_image_has_wide_maps() -> None:
    slab = stages_of(hiri_spec.load("hiri_s"), (448, 896)).columns[1].slabs[0]
    assert slab.slant == pytest.approx(2 * slab.height)


def test_nothing_is_too_small_to_be_seen() -> None:
    smallest = [slab for column in stages_of(hiri_spec.load("hiri_s"), (2048, 64)).columns for slab in column.slabs]
    assert min(min(slab.height, slab.slant) for slab in smallest) == SMALLEST


def test_streams_are_stacked() -> None:
    column = stages_of(hiri_spec.load("hrnet_w18")).columns[3]
    assert len(column.slabs) == 4
    for above, below in pairwise(column.slabs):
        assert above.y + above.height < below.y


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_picture_says_what_the_table_says(name: str) -> None:
    spec = hiri_spec.load(name)
    total = cost(spec)
    told = {column.scope: column for column in stages_of(spec).columns}
    assert list(told) == [row.name for row in total.by_stage()]
    for row in total.by_stage():
        column = told[row.name]
        assert column.macs_share == row.macs / total.macs
        assert column.params_share == row.params / total.params
        assert row.kind in column.spoken
        assert column.output in texts(draw(spec))
    assert f"{total.macs / 1e9:.3f} GMACs" in (read(draw(spec)).get("aria-label") or "")


def test_depth_and_heads_are_told() -> None:
    found = texts(draw(hiri_spec.load("hiri_s")))
    assert {"hr ×2", "cffn ×4", "transformer ×9", "heads 10", "heads 20", "14x14 x 320", "49.9 %", "61.8 %"} <= {*found}


@pytest.mark.parametrize("name", BUILT_IN)
def test_no_label_is_cut(name: str) -> None:
    assert not [text for text in texts(draw(hiri_spec.load(name))) if text.endswith("…")]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_all_that_can_be_opened_is_a_button(dark: bool) -> None:
    root = read(draw(hiri_spec.load("pvt_v2_b2"), opened="stages.1", dark=dark))
    buttons = [each for each in root.iter() if each.get("data-scope") is not None]
    assert {"stages.1.downsample", "stages.1.norm", "stages.3", "stem", ""} <= {
        each.get("data-scope") for each in buttons
    }
    for button in buttons:
        assert button.get("role") == "button"
        assert button.get("tabindex") == "0"
        assert button.get("aria-label")
    expanded = [each.get("data-scope") for each in buttons if each.get("aria-expanded") == "true"]
    assert expanded == ["stages.1"]


def test_the_picture_is_told_in_words() -> None:
    root = read(draw(hiri_spec.load("hiri_s"), opened="stages.0"))
    assert root.get("aria-label") == "hiri_s at 448 pixels: 5 stages, 34.39 M parameters, 5.009 GMACs"
    assert "stage 3: irds_b + transformer x9, output 14x14 x 320, 49.9 % of MACs" in (root.findtext(f"{SVG}desc") or "")
    inside = [
        each for each in root.iter() if (each.get("aria-label") or "").startswith("the inside of stages.0.blocks")
    ]
    assert len(inside) == 1


def test_an_hr_block_shows_its_branches_beside_each_other() -> None:
    graph = graph_of("hiri_s", "stages.0.blocks")
    inside = inside_of(graph)
    assert inside is not None
    boxes = {box.piece.name: box for box in lay_out_flow(inside.pieces).boxes}
    assert boxes["high.mix"].y == boxes["low.reduce"].y
    assert boxes["high.mix"].x + BOX_WIDTH < boxes["low.reduce"].x
    assert {boxes[f"low.{name}"].x for name in ("reduce", "norm", "expand", "act", "project", "upsample")} == {
        boxes["low.reduce"].x
    }
    told = texts(draw(hiri_spec.load("hiri_s"), opened="stages.0"))
    assert {"depthwise conv 3x3 /2", "high.mix", "low.expand", "128x56x56, 43 %", "output 32x112x112"} <= {*told}


PARTS = [
    pytest.param(graph, id=f"{name}-{segment.scope}")
    for name in BUILT_IN
    for segment, graph in traced(hiri_spec.load(name))
]


def check_flow(pieces: Sequence[Piece]) -> None:
    """All is there, joined, and free of overlaps."""
    flow = lay_out_flow(pieces)
    for one, other in combinations(flow.boxes, 2):
        apart = one.x + BOX_WIDTH <= other.x or other.x + BOX_WIDTH <= one.x
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y
    again = [box for box in flow.boxes if box.is_again]
    assert len(flow.boxes) == len(pieces) + len(again)
    assert len(flow.lines) == sum(len(piece.joins) for piece in pieces) + len(again)
    for box in flow.boxes:
        assert box.x >= 0
        assert box.x + BOX_WIDTH <= flow.width
        assert box.y + box.height <= flow.height
    for line in flow.lines:
        for (x, y), (to_x, to_y) in pairwise(line.points):
            left, right = sorted((x, to_x))
            top, bottom = sorted((y, to_y))
            for box in flow.boxes:
                across = left < box.x + BOX_WIDTH - 1 and right > box.x + 1
                down = top < box.y + box.height - 1 and bottom > box.y + 1
                assert not (across and down), (line, box.piece.name)


@pytest.mark.parametrize("graph", PARTS)
def test_inside_of_every_part_all_is_seen(graph: Graph) -> None:
    inside = inside_of(graph)
    assert inside is not None
    assert inside.left_out == 0
    assert sum(piece.macs for piece in inside.pieces) == graph.macs
    assert sum(piece.params for piece in inside.pieces) == graph.params
    check_flow(inside.pieces)


@st.composite
def any_pieces(draw: st.DrawFn) -> list[Piece]:
    """A graph of any form; the first piece is an input."""
    pieces = []
    for number in range(draw(st.integers(1, 40))):
        nearby = st.integers(max(0, number - 6), number - 1)
        sources = draw(st.lists(nearby, max_size=3, unique=True)) if number else []
        joins = tuple(Join(source, draw(st.booleans())) for source in sources)
        look = draw(st.sampled_from(["light", "heavy", "group"])) if joins else "end"
        pieces.append(Piece(f"operation{number}", "conv", look, (8, 4, 4), 1, 1, joins))  # type: ignore[arg-type]
    return pieces


@settings(deadline=None, max_examples=300)
@given(pieces=any_pieces())
def test_any_graph_is_laid_out(pieces: list[Piece]) -> None:
    check_flow(pieces)


def test_many_operations_are_grouped_and_opened_in_turn() -> None:
    spec = hiri_spec.load("hrnet_w18")
    svg = draw(spec, opened="stages.2")
    assert {f"stages.2.blocks.{name}{index}" for name in ("branch", "fuse") for index in range(4)} <= {*scopes(svg)}
    deeper = draw(spec, opened="stages.2.blocks.branch1")
    assert "stages.2.blocks" in scopes(deeper)
    assert {"from input_2", "block0.conv1"} <= {*texts(deeper)}
    assert len(texts(draw(spec, opened="stages.2.blocks.branch1.block0"))) < len(texts(deeper))


def test_a_block_by_its_number_is_its_run() -> None:
    spec = hiri_spec.load("hiri_s")
    assert texts(draw(spec, opened="stages.3.blocks.4")) == texts(draw(spec, opened="stages.3"))


@pytest.mark.parametrize(
    "opened", ["stages.9", "stages.0.tail", "stages.0.blocks.middle", "stages.", "<b>", "", "stages.10"]
)
def test_a_scope_that_is_not_there_opens_nothing(opened: str) -> None:
    spec = hiri_spec.load("hiri_s")
    assert draw(spec, opened=opened) == draw(spec)


@pytest.mark.parametrize(
    ("spec", "most"),
    [
        pytest.param(many_runs(300), 400_000, id="300 runs of 1,000 blocks"),
        pytest.param(many_stages(100), 400_000, id="100 stages"),
    ],
)
def test_monstrous_networks_are_bounded(spec: ModelSpec, most: int) -> None:
    began = time.perf_counter()
    svg = draw(spec, 64, opened="stages.0")
    assert time.perf_counter() - began < 5
    assert len(svg) < most
    layout = stages_of(spec, (64, 64))
    assert len(layout.columns) <= MOST_COLUMNS
    assert all(len(column.runs) <= MOST_RUNS for column in layout.columns)
    assert sum(column.macs_share for column in layout.columns) == pytest.approx(1)


def test_more_operations_than_can_be_drawn_are_counted() -> None:
    data = {
        "name": "wide",
        "stem": {"stem": "conv", "width": 8},
        "stages": [{"block": "streams", "depth": 1, "width": 8, "streams": 1, "blocks": 1000}],
        "head": {"head": "hrnet"},
    }
    spec = ModelSpec.model_validate(data)
    segment, graph = traced(spec, (64, 64))[1]
    inside = inside_of(graph, "branch0")
    assert inside is not None
    assert len(inside.pieces) <= MOST_PIECES + 1
    assert inside.left_out > 5000
    assert f"and {inside.left_out:,} more operations" in " ".join(
        texts(draw(spec, 64, opened=f"{segment.scope}.branch0"))
    )


def test_few_operations_are_drawn_one_by_one() -> None:
    graph = graph_of("davit_tiny", "stages.0.blocks")
    inside = inside_of(graph)
    assert inside is not None
    assert len(graph.nodes) <= MOST_SINGLE
    assert len(inside.pieces) == len(graph.nodes) + 1


def test_a_size_that_is_no_size_is_refused() -> None:
    with pytest.raises(SpecError, match="16x16 is too small"):
        draw(hiri_spec.load("hiri_s"), 16)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("colour", ["ink", "faint", "accent", "warning"])
@pytest.mark.parametrize("behind", ["paper", "panel"])
def test_texts_are_read_on_what_is_behind(theme: Theme, colour: str, behind: str) -> None:
    assert contrast(getattr(theme, colour), getattr(theme, behind)) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_stand_out(theme: Theme) -> None:
    for colour in (theme.line, *theme.series):
        assert contrast(colour, theme.paper) >= 3


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_and_bars_are_told_apart(theme: Theme, vision: str) -> None:
    for one, other in combinations((*theme.series, theme.warning), 2):
        assert distance(one, other, vision) >= FAR_ENOUGH


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_is_large_enough_and_has_a_known_colour(dark: bool) -> None:
    theme = DARK if dark else LIGHT
    root = read(draw(hiri_spec.load("hiri_s"), opened="stages.3", dark=dark))
    for text in root.iter(f"{SVG}text"):
        assert float(text.get("font-size") or 0) >= 10
        assert text.get("fill") in {theme.ink, theme.faint, "#ffffff", "#16202a"}


def test_dark_and_light_differ_in_colours_alone() -> None:
    light, dark = (draw(hiri_spec.load("hiri_s"), opened="stages.0", dark=dark) for dark in (False, True))
    assert light != dark
    assert re.sub("#[0-9a-f]{6}", "", light) == re.sub("#[0-9a-f]{6}", "", dark)


@given(words=st.text(max_size=40), width=st.floats(1, 400))
def test_what_is_fitted_has_room(words: str, width: float) -> None:
    for shown in (fitted(words, width, 12), fitted_name(words, width, 12)):
        assert len(shown) <= max(1, width / (CHARACTER * 12))


def test_the_end_of_a_name_is_kept() -> None:
    assert fitted_name("spatial.attention.query", 150, 11) == "…attention.query"
    assert fitted_name("attention.query", 150, 11) == "attention.query"


def test_no_torch_is_loaded() -> None:
    code = (
        "import sys, hiri_spec; from studio import charts; from studio.drawing import draw;"
        "from hiri_spec.cost import cost; spec = hiri_spec.load('hiri_s'); draw(spec, opened='stages.0');"
        "charts.cost_bars([cost(spec)]); charts.comparison_bars([('s', cost(spec))]);"
        "charts.resolution_curve(charts.curve_points(spec), own=cost(spec)); charts.pareto([], score_name='score');"
        "print(sorted({'torch', 'optuna', 'pandas', 'numpy', 'matplotlib', 'nicegui'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
