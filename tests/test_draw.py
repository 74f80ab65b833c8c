"""Drawings: well-formed, complete, without overlaps, and safe with any name."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import model_specs

import hiri_spec
from hiri_spec import ModelSpec, SpecError
from hiri_spec.draw import CHARACTER, draw_mermaid, draw_svg, format_output, lay_out

SVG = "{http://www.w3.org/2000/svg}"
SIZES = st.sampled_from([(32, 32), (448, 448), (512, 1024), (8192, 64)])
LEVELS = st.sampled_from(["stage", "block"])


@settings(deadline=None, max_examples=40)
@given(spec=model_specs(), size=SIZES, by=LEVELS)
def test_nothing_overlaps(spec: ModelSpec, size: tuple[int, int], by: str) -> None:
    layout = lay_out(spec, size, by=by)
    for left, right in pairwise(layout.boxes):
        assert left.x + left.width <= right.x
    for left, right in pairwise(layout.captions):
        assert left.x + left.width <= right.x
    for box in layout.boxes:
        assert box.x >= 0
        assert box.y >= 70
        assert box.x + box.width <= layout.width
        if not box.is_wedge:
            assert all(CHARACTER * len(line) <= box.width for line in box.lines)
    assert max(caption.x + caption.width for caption in layout.captions) <= layout.width


@settings(deadline=None, max_examples=40)
@given(spec=model_specs(), size=SIZES, by=LEVELS)
def test_svg_is_well_formed_and_complete(spec: ModelSpec, size: tuple[int, int], by: str) -> None:
    root = ElementTree.fromstring(draw_svg(spec, size, by=by))
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert (root.findtext(f"{SVG}title") or "").startswith(spec.name[:50])
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"stem", "head", *(f"stage {index}" for index in range(len(spec.stages)))} <= set(texts)


def test_the_picture_says_what_the_spec_says() -> None:
    texts = [element.text for element in ElementTree.fromstring(draw_svg("hiri_s", 448)).iter(f"{SVG}text")]
    for text in ("hiri_s", "448 px · 34.39 M params · 5.009 GMACs", "transformer x9", "width 320", "heads 10"):
        assert text in texts
    assert texts.count("irds_a") == texts.count("irds_b") == 2
    assert "14x14 x 320" in texts


def test_a_deep_run_is_shortened_by_block() -> None:
    boxes = [box for box in lay_out(hiri_spec.load("hiri_s"), by="block").boxes if box.name == "stages.3.blocks"]
    assert [box.lines[-1] for box in boxes] == ["0", "1", "2", "3", "4", "5", "x9"]


@settings(deadline=None, max_examples=40)
@given(spec=model_specs(), by=st.sampled_from(["stage", "block", "op"]))
def test_mermaid_declares_what_it_joins(spec: ModelSpec, by: str) -> None:
    text = draw_mermaid(spec, 64, by=by)
    assert text.startswith("flowchart LR\n")
    declared = re.findall(r"^ +(\w+)[\[(]", text, re.MULTILINE)
    assert len(set(declared)) == len(declared)
    joined = {name for pair in re.findall(r"^ +(\w+) --> (\w+)$", text, re.MULTILINE) for name in pair}
    assert joined <= set(declared)
    assert text.count("-->") >= len(spec.stages)


def test_mermaid_by_op_shows_every_operation() -> None:
    text = draw_mermaid("hiri_s", by="op")
    assert 'subgraph stages_3_blocks["stages.3.blocks: transformer x9"]' in text
    assert "attention.attend<br/>attention<br/>14x14 x 320" in text


@pytest.mark.parametrize(("draw", "known"), [(draw_svg, "stage, block"), (draw_mermaid, "stage, block, op")])
def test_unknown_level_of_detail(draw: object, known: str) -> None:
    with pytest.raises(SpecError, match=f"'layer' is none of {known}"):
        draw("hiri_s", by="layer")  # type: ignore[operator]


def test_of_several_streams_the_first_is_told() -> None:
    assert format_output(((18, 56, 56), (36, 28, 28), (72, 14, 14))) == "56x56 x 18 + 2 more"


def test_a_wedge_is_as_tall_as_what_comes_in() -> None:
    boxes = {box.name: box for box in lay_out(hiri_spec.load("hrnet_w18")).boxes}
    assert boxes["stages.1.downsample"].height == boxes["stages.0.blocks"].height
    boxes = {box.name: box for box in lay_out(hiri_spec.load("hiri_s")).boxes}
    assert boxes["stages.1.downsample"].height == boxes["stages.0.blocks"].height > boxes["stages.1.blocks"].height
