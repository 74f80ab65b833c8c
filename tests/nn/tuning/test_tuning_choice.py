"""The fastest path through a chain of places, changes of layout included."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiri_spec.nn.tuning.choice import choose, layout_of

FREE = {"contiguous": 0.0, "channels_last": 0.0}
DEAR = {"contiguous": 5.0, "channels_last": 5.0}
A, B, C = "contiguous conv", "channels_last conv", "channels_last packed"


@pytest.mark.parametrize(
    ("depths", "times", "entries", "chosen"),
    [
        ([1, 1], [{A: 1, B: 2}, {A: 2, B: 1}], [FREE, FREE], [A, B]),
        ([1, 1], [{A: 1, B: 2}, {A: 2, B: 1}], [DEAR, DEAR], [A, A]),
        ([1, 9], [{A: 1, B: 2}, {A: 2, B: 1}], [DEAR, DEAR], [A, B]),
        ([1], [{A: 3, B: 1}], [DEAR], [A]),  # images come contiguous
        ([1], [{A: 3, B: 2, C: 1}], [FREE], [C]),
    ],
    ids=["each_its_own", "change_too_dear", "depth_pays", "images", "products"],
)
def test_examples(
    depths: list[int], times: list[dict[str, float]], entries: list[dict[str, float]], chosen: list[str]
) -> None:
    assert choose(depths, times, entries) == chosen


TIMES = st.integers(0, 20).map(float)
PLACE = st.tuples(
    st.integers(1, 5),
    st.fixed_dictionaries({A: TIMES, B: TIMES, C: TIMES}),
    st.fixed_dictionaries({"contiguous": TIMES, "channels_last": TIMES}),
)


@given(st.lists(PLACE, min_size=1, max_size=4))
def test_no_path_is_faster(places: list[tuple[int, dict[str, float], dict[str, float]]]) -> None:
    depths, times, entries = (list(each) for each in zip(*places, strict=True))

    def total(path: tuple[str, ...]) -> float:
        layouts = ["contiguous", *(layout_of(way) for way in path)]
        changes = [
            entry[after] for before, after, entry in zip(layouts, layouts[1:], entries, strict=False) if before != after
        ]
        return sum(changes) + sum(depth * own[way] for depth, own, way in zip(depths, times, path, strict=True))

    fastest = min(map(total, itertools.product((A, B, C), repeat=len(places))))
    assert total(tuple(choose(depths, times, entries))) == fastest
