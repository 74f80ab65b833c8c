"""Pieces of HTML of the page: what they say, and that nothing of a spec's gets out of its place."""

from __future__ import annotations

import re

import pytest

from hiri_spec import cost, load
from hiri_spec.differences import compare
from hiri_spec.errors import SpecError
from studio.page.limits import read_budget, read_sizes, read_target
from studio.page.markup import changes_table, cost_change_table, cost_table, text_difference

NASTY = '<img src=x onerror="alert(1)">&'


def cells(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_the_cost_by_stage() -> None:
    costs = [cost("hiri_s", 224), cost("hiri_s", 448)]
    heading, *rows = cells(cost_table(costs))
    assert heading[:3] == ["stage", "what", "params"]
    assert heading[3::4] == ["output @224", "output @448"]
    expected = costs[1].by_stage()
    assert [row[0] for row in rows] == [row.name for row in expected]
    assert [row[8] for row in rows] == [f"{row.macs / 1e6:,.1f}" for row in expected]


def test_what_a_change_does_to_the_cost() -> None:
    before, after = cost("hiri_b"), cost("hiri_s")
    _, *rows = cells(cost_change_table([(before, after)]))
    assert rows[0] == ["params M", f"{before.params / 1e6:.3f}", f"{after.params / 1e6:.3f}", rows[0][3]]
    assert rows[1][3] == f"{after.macs / before.macs:.3f}"


def test_a_name_is_text_and_nothing_else() -> None:
    before, after = load("hiri_s"), load("hiri_s", set={"description": NASTY})
    html = changes_table(compare(before, after))
    assert "<img" not in html
    assert "&lt;img src=x" in html
    assert "<img" not in text_difference("a", NASTY)


def test_no_difference_is_told() -> None:
    assert "the same network" in changes_table([])


def test_a_difference_of_texts_by_lines() -> None:
    before = "\n".join("abcdefghij")
    html = text_difference(before, before.replace("e", "E"))
    assert re.findall(r'class="(less|more)">.*?<span>(.*?)</span>', html) == [("less", "-e"), ("more", "+E")]
    assert "<span> c</span>" in html
    assert "<span> a</span>" not in html
    assert text_difference(before, before).count("<div") == 0


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (read_sizes, " 224, 448x672 ", ((224, 224), (448, 672))),
        (read_sizes, "224,224", ((224, 224),)),
        (read_sizes, "", None),
        (read_sizes, None, None),
        (read_budget, "5gflops", 5_000_000_000),
        (read_budget, " ", None),
        (read_target, "896", (896, 896)),
        (read_target, None, None),
    ],
    ids=["two", "twice", "empty", "none", "budget", "no-budget", "target", "no-target"],
)
def test_fields_are_read(read: object, text: str | None, expected: object) -> None:
    assert read(text) == expected  # type: ignore[operator]


@pytest.mark.parametrize(
    ("read", "text", "told"),
    [
        (read_sizes, "22", r"22 is too small; use 32 to"),
        (read_sizes, "224,256,288,320,352", r"5 are too many to see at once; give at most 4"),
        (read_sizes, "big", r"'big' is no image size"),
        (read_budget, "cheap", r"'cheap' is not an amount"),
        (read_target, "448,896", r"a network is scaled to one size; give one"),
    ],
    ids=["small", "many", "words", "budget", "targets"],
)
def test_fields_say_what_is_wrong(read: object, text: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        read(text)  # type: ignore[operator]
