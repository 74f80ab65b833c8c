"""The chart of a search: each network that fits the filters is a point, and a click tells its trial."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tried_networks import Network, Options, named, networks

from studio.charts import blocks_at, pareto, trial_number
from studio.charts.pareto import MOST_POINTS, SYMBOLS, Tried, choose, thinned


def shown(options: Options) -> list[Any]:
    """The points of all series but the front's line, the chosen and the pinned."""
    values = []
    for series in options["series"]:
        if series["name"] not in ("front", "selected", "pinned"):
            values += [each["value"] if isinstance(each, dict) else each for each in series["data"]]
    return values


def test_each_network_is_a_point_of_its_stages() -> None:
    found = networks()
    options = pareto(found, score_name="SynFlow score")
    assert {value[2] for value in shown(options)} == {network.number for network in found}
    four = named(options, "4 stages")
    assert {trial_number(each["value"] if isinstance(each, dict) else each) for each in four["data"]} == {
        network.number for network in found if network.stages == 4
    }
    assert (options["xAxis"]["name"], options["yAxis"]["name"]) == ("GMACs", "SynFlow score")
    assert len({named(options, f"{count} stages")["symbol"] for count in (4, 5, 6)}) == 3


def test_the_front_is_drawn_by_cost() -> None:
    found = networks()
    line = named(pareto(found, score_name="score"), "front")["data"]
    assert len(line) == sum(network.on_front for network in found)
    assert line == sorted(line)
    assert [score for _, score in line] == sorted(score for _, score in line)


def test_points_of_the_front_stand_out() -> None:
    found = networks()
    options = pareto(found, score_name="score")
    larger = {
        each["value"][2]
        for series in options["series"][:3]
        for each in series["data"]
        if isinstance(each, dict) and each["symbolSize"] > series["symbolSize"]
    }
    assert larger == {network.number for network in found if network.on_front}


@pytest.mark.parametrize(
    ("stage_counts", "placed", "expected"),
    [
        (None, None, {0, 1, 2, 3}),
        ({4}, None, {0, 1}),
        (None, {0: {"HR"}}, {0, 2, 3}),
        (None, {0: {"HR"}, 2: {"T"}}, {0, 3}),
        (None, {0: {"HR", "C"}}, {0, 1, 2, 3}),
        (None, {4: {"T"}}, {2, 3}),
        (set(), None, set()),
        (None, {0: set()}, set()),
    ],
    ids=["all", "four stages", "first", "first and third", "either", "a fifth stage", "no count", "no block"],
)
def test_filters(stage_counts: set[int] | None, placed: dict[int, set[str]] | None, expected: set[int]) -> None:
    sketches = ("HR1 C1 T1 T1", "C1 C1 C1 T1", "HR1 HR1 C1 T1 T1", "HR2 C1 C1+T1 T1 T1")
    found = [Network(number, 1.0, 10**9, sketch) for number, sketch in enumerate(sketches)]
    chosen = {network.number for network in choose(found, stage_counts=stage_counts, placed=placed)}
    assert chosen == expected
    options = pareto(found, score_name="score", stage_counts=stage_counts, placed=placed)
    assert {value[2] for value in shown(options)} == expected
    assert blocks_at(found) == [["C", "HR"], ["C", "HR"], ["C", "T"], ["T"], ["T"]]


def test_chosen_and_pinned_are_marked() -> None:
    options = pareto(networks(), score_name="score", selected=7, pinned=(3, 99, 4))
    assert [each["value"][2] for each in named(options, "selected")["data"]] == [7]
    marks = named(options, "pinned")["data"]
    assert [(each["value"][2], each["label"]["formatter"]) for each in marks] == [(3, "A"), (4, "C")]
    assert "chosen: trial 7:" in options["aria"]["label"]["description"]


@pytest.mark.parametrize(
    ("score_name", "told"),
    [("score", ["score", "GMACs", "params M"]), ("params M", ["params M", "GMACs"]), ("GMACs", ["GMACs", "params M"])],
)
def test_a_score_that_is_a_cost_is_told_once(score_name: str, told: list[str]) -> None:
    series = named(pareto(networks(), score_name=score_name), "selected")
    assert sorted(series["dimensions"][place] for place in series["encode"]["tooltip"]) == sorted(told)


def test_milliseconds_in_place_of_macs() -> None:
    timed = [replace(network, latency_ms=5.0 + network.number) for network in networks(5)]
    options = pareto([*timed, Network(5, 1.0, 10**9, "HR1")], score_name="score", by_latency=True, budget_macs=10**9)
    assert options["xAxis"]["name"] == "ms of one image"
    assert sorted(value[0] for value in shown(options)) == [5, 6, 7, 8, 9]
    assert named(options, "front")["markLine"]["data"] == []


def test_very_many_points_are_thinned_but_for_the_front() -> None:
    found: list[Tried] = [*networks(9001)]
    few = thinned(found)
    assert len(few) <= MOST_POINTS + sum(each.on_front for each in found)
    assert {each.number for each in found if each.on_front} <= {each.number for each in few}
    assert thinned(found[:MOST_POINTS]) == found[:MOST_POINTS]


@pytest.mark.parametrize(
    ("value", "number"),
    [([4.5, 250.0, 12, "12: HR4", 30.0], 12), ([4.5, 250.0], None), (None, None), ("12", None), ([1, 2, "3"], None)],
    ids=["point", "line", "nothing", "text", "no number"],
)
def test_trial_of_a_click(value: object, number: int | None) -> None:
    assert trial_number(value) == number


def test_symbols_differ() -> None:
    assert len({*SYMBOLS}) == len(SYMBOLS)
