"""The number under the cursor and its legal steps."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiri_spec.document import parse
from hiri_spec.errors import SpecError
from hiri_spec.files import builtin_specs, load_text
from studio.numbers import Number, number_at, replace_number

TEXT = builtin_specs()["hiri_s"].read_text()
NOWHERE = Path("spec.yaml")


def at(marked: str) -> Number:
    """The number where a | stands."""
    found = number_at(marked.replace("|", "", 1), marked.index("|"))
    assert found is not None
    return found


def under(piece: str, text: str = TEXT) -> Number:
    """The number at the | in a piece of a text."""
    assert text.count(piece.replace("|", "")) == 1
    return at(text.replace(piece.replace("|", ""), piece))


NUMBERS = {
    "depth": ("depth: |9", ("stages[3].depth", "depth of stages[3] transformer", 9)),
    "width": ("depth: 9, width: 3|20", ("stages[3].width", "width of stages[3] transformer", 320)),
    "behind it": ("depth: 9, width: 320|", ("stages[3].width", "width of stages[3] transformer", 320)),
    "its key": ("de|pth: 9", ("stages[3].depth", "depth of stages[3] transformer", 9)),
    "heads": ("heads: 1|0", ("stages[3].heads", "heads of stages[3] transformer", 10)),
    "resolution": ("resolution: 4|48", ("resolution", "resolution", 448)),
    "stem": ("stem: hr, width: |32", ("stem.width", "width of stem hr", 32)),
    "classes": ("classes: |1000", ("head.classes", "classes of head", 1000)),
}


@pytest.mark.parametrize(("piece", "expected"), NUMBERS.values(), ids=NUMBERS)
def test_the_number_under_the_cursor(piece: str, expected: tuple[str, str, int]) -> None:
    found = under(piece)
    assert (found.path, found.label, found.value) == expected
    assert TEXT[found.start : found.end] == str(found.value)


OTHERS = {
    "text": "na|me: a",
    "a word": "stem: {stem: h|r, width: 32}",
    "a name that is a number": "name: 3|2",
    "true": "head: {pool_first: tru|e}",
    "quotes": "resolution: '4|48'",
    "an unknown field": "colour: 3|2",
    "no YAML": "resolution: 44|8\nstem: {",
    "an alias": "resolution: &r 448\nin_channels: *|r",
    "nothing": "|",
    "extended from nowhere": "extends: nowhere\nresolution: 44|8",
    "what aliases make too large": "a: &a [|1,1,1,1,1,1,1,1,1]\n"
    + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "a spec too large to be followed": "name: a\nstem: vit\nstages:\n-\n  - {block: hr, depth: |2, width: 8}\n"
    + "  - {block: hr, depth: 1, width: 8}\n" * 480,
    "a text too long to be followed": "resolution: 44|8 " + "# long\n" * 10_000,
    "set a long way off": f"extends: hiri_s\nset: {{{'a.' * 4000}depth: |3}}",
    "set nowhere": "extends: hiri_s\nset: {stages.9.depth: |3}",
}


@pytest.mark.parametrize("marked", OTHERS.values(), ids=OTHERS)
def test_no_number(marked: str) -> None:
    begin = time.process_time()
    assert number_at(marked.replace("|", "", 1), marked.index("|")) is None
    assert time.process_time() - begin < 1


def test_what_aliases_repeat_is_looked_at_once() -> None:
    text = "a: &a {<<: &b {c: &c [1, 2]}, d: *c}\nresolution: |448\ne: *a\nf: [*a, *b]"
    found = at(text)
    assert (found.path, found.value) == ("resolution", 448)


def test_one_of_very_many_mistakes_has_no_choices() -> None:
    text = TEXT + "".join(f"field_{count}: 1\n" for count in range(150))
    assert under("depth: |9", text).choices == (9,)
    assert len(under("depth: |9", TEXT + "field: 1\n").choices) > 1


def test_the_largest_specs_take_no_time() -> None:
    text = (
        "name: a\nstem: vit\nstages:\n-\n  - {block: hr, depth: 2, width: 8}\n" + "  - {block: norm, width: 8}\n" * 160
    )
    took = []
    for _ in range(5):
        begin = time.process_time()
        found = number_at(text, text.index("depth: 2"))
        took.append(time.process_time() - begin)
        assert found is not None
        assert len(found.choices) > 1
    assert min(took) < 0.1


MOVES = {
    "the same": (TEXT, "heads: |10", True),
    "a comment more": ("# more\n" + TEXT, "heads: |10", True),
    "another of its choices": (TEXT.replace("heads: 10", "heads: 20"), "heads: |20", True),
    "a number that was none": (TEXT.replace("heads: 10", "heads: 11"), "heads: |11", False),
    "another width": (TEXT.replace("depth: 9, width: 320", "depth: 9, width: 160"), "heads: |10", False),
    "another spec": (TEXT.replace("classes: 1000", "classes: 10"), "heads: |10", False),
    "another number": (TEXT, "depth: |9", False),
}


@pytest.mark.parametrize(("text", "piece", "stay"), MOVES.values(), ids=MOVES)
def test_choices_stay_while_the_spec_around_is_the_same(text: str, piece: str, stay: bool) -> None:
    number = under("heads: |10")
    shown = replace(number, choices=(*number.choices, 1280))  # as it would have been around another value
    offset = text.index(piece.replace("|", "")) + piece.index("|")
    found = number_at(text, offset, shown=shown)
    assert found is not None
    assert (found.choices == shown.choices) == stay
    assert (found.start, found.end) == (offset, offset + len(str(found.value)))
    if not stay:
        assert found == number_at(text, offset)


def test_choices_follow_what_is_extended(tmp_path: Path) -> None:
    text = "extends: base.yaml\nset: {stages.3.heads: 10}"
    (tmp_path / "base.yaml").write_text(TEXT)
    before = number_at(text, len(text) - 2, file=tmp_path / "new.yaml", roots=[tmp_path])
    (tmp_path / "base.yaml").write_text(TEXT.replace("width: 320", "width: 160"))
    after = number_at(text, len(text) - 2, file=tmp_path / "new.yaml", roots=[tmp_path], shown=before)
    assert after == number_at(text, len(text) - 2, file=tmp_path / "new.yaml", roots=[tmp_path])
    assert before is not None
    assert after is not None
    assert before.around != after.around


def test_depth_goes_by_one() -> None:
    assert under("depth: |9").choices == tuple(range(1, 19))


def test_heads_divide_the_width() -> None:
    assert under("heads: |10").choices == (1, 2, 4, 5, 8, 10, 16, 20)


def test_widths_are_multiples_of_heads() -> None:
    choices = under("depth: 9, width: |320").choices
    assert choices == tuple(range(80, 641, 40))


def test_a_width_that_another_run_shares_stays() -> None:
    text = "name: a\nstem: vit\nstages: [[{block: hr, depth: 1, width: |32}, {block: cffn, depth: 1, width: 32}]]"
    assert at(text).choices == (32,)


def test_resolutions_are_multiples_of_32() -> None:
    assert under("resolution: |448").choices == tuple(range(128, 897, 32))


def test_kernels_are_odd_or_those_of_the_schema() -> None:
    run = "name: a\nstem: vit\nstages: [{block: cffn, depth: 1, width: 8, kernel: |5}]"
    assert at(run).choices == (1, 3, 5, 7, 9, 11, 13, 15)
    assert at("stem: {stem: vit, kernel: |7}").choices == (4, 7)


FRACTIONS = {
    "expansion": ("stages: [{block: hr, depth: 1, width: 8, expansion: |4}]", 0.5, 8, 16),
    "a small one": ("stages: [{block: hr, depth: 1, width: 8, expansion: |0.5}]", 0.05, 2, 40),
    "a rate": ("drop_path_rate: |0.1", 0, 0.95, 20),
    "a tiny one": ("stages: [{block: hr, depth: 1, width: 8, layer_scale: |1e-6}]", 1e-9, 1e-3, 7),
    "a large one": ("stages: [{block: hr, depth: 1, width: 8, expansion: |64}]", 16, 128, 15),
}


@pytest.mark.parametrize(("marked", "low", "high", "count"), FRACTIONS.values(), ids=FRACTIONS)
def test_fractions(marked: str, low: float, high: float, count: int) -> None:
    found = at(f"name: a\nstem: vit\n{marked}")
    assert (found.choices[0], found.choices[-1], len(found.choices)) == (low, high, count)
    assert found.value in found.choices


def test_a_number_that_is_wrong_can_be_mended() -> None:
    found = under("depth: 9, width: |321", TEXT.replace("320", "321"))
    assert 321 in found.choices
    assert {280, 320, 360} <= set(found.choices)
    assert under("depth: |0", TEXT.replace("depth: 9", "depth: 0")).choices[:3] == (0, 1, 2)


def test_mistakes_elsewhere_do_not_matter() -> None:
    assert under("heads: |10", TEXT.replace("classes: 1000", "classes: none")).choices == under("heads: |10").choices


def test_a_height_and_a_width() -> None:
    text = TEXT.replace("448\n", "[448, 672]\n")
    assert under("[|448, 672]", text).label == "resolution, height"
    width = under("[448, 67|2]", text)
    assert (width.label, width.path, width.value) == ("resolution, width", "resolution[1]", 672)


def test_a_value_that_is_set() -> None:
    found = at("extends: hiri_s\nset: {stages.-2.width: 3|20}")
    assert found.path == "stages[3].width"
    assert found.choices == tuple(range(80, 641, 40))


@pytest.mark.parametrize("name", ["hiri_s", "hrnet_w18", "davit_tiny", "pvt_v2_b2_li", "swin_tiny_patch4_window7_224"])
def test_every_choice_is_legal(name: str) -> None:
    text = builtin_specs()[name].read_text()
    found = {number_at(text, offset) for offset in range(len(text)) if text[offset].isdigit()}
    assert len(found) > 9
    for number in found - {None}:
        assert number is not None
        assert number.value in number.choices
        assert list(number.choices) == sorted(set(number.choices))
        for choice in number.choices[::7]:
            changed = replace_number(text, number, choice)
            load_text(changed, file=NOWHERE, roots=())
            assert number_at(changed, number.start) is not None


@given(st.sampled_from(sorted(under("heads: |10").choices)))
def test_a_number_is_replaced(value: int) -> None:
    number = under("heads: |10")
    changed = replace_number(TEXT, number, value)
    assert parse(changed, "").data["stages"][3]["heads"] == value
    assert changed == TEXT.replace("heads: 10", f"heads: {value}")


def test_a_number_that_has_moved_is_not_replaced() -> None:
    with pytest.raises(SpecError, match=r"^stages\[3\].heads: is no longer where it was; put the cursor on it again"):
        replace_number("# " + TEXT, under("heads: |10"), 8)


@given(st.text(st.characters()) | st.text(st.sampled_from("{}[]:,-#&*0123456789.e \n")), st.data())
def test_any_text(text: str, data: st.DataObject) -> None:
    number_at(text, data.draw(st.integers(0, len(text))))
