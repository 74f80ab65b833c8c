"""The charts' options: right figures, plain data, readable, told in words, and steady from one state to the next."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from strategies import model_specs
from tried_networks import Options, named, networks

import hiri_spec
from hiri_spec import ModelSpec
from hiri_spec.colours import contrast
from hiri_spec.cost import cost
from studio.charts import (
    CurvePoint,
    comparison_bars,
    cost_bars,
    curve_points,
    pareto,
    resolution_curve,
)
from studio.charts.costs import MOST_STAGES
from studio.charts.frame import decals, told_macs, told_params
from studio.palette import DARK, LIGHT, Theme


def walk(node: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Everything in options, by its path."""
    yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from walk(value, (*path, key))
    elif isinstance(node, list):
        for value in node:
            yield from walk(value, path)


S = hiri_spec.load("hiri_s")
CHARTS: dict[str, Callable[[bool], Options]] = {
    "bars": lambda dark: cost_bars([cost(S, side) for side in (224, 448, 768)], dark=dark),
    "curve": lambda dark: resolution_curve(curve_points(S), own=cost(S), budget_macs=5 * 10**9, dark=dark),
    "comparison": lambda dark: comparison_bars([("one", cost(S)), ("other", cost("pvt_v2_b2", 448))], dark=dark),
    "pareto": lambda dark: pareto(networks(), score_name="score", selected=3, pinned=(4, 5), dark=dark),
    "no bars": lambda dark: cost_bars([], dark=dark),
    "no curve": lambda dark: resolution_curve([], own=None, dark=dark),
    "no comparison": lambda dark: comparison_bars([], dark=dark),
    "no pareto": lambda dark: pareto([], score_name="score", dark=dark),
}
every_chart = pytest.mark.parametrize("make", CHARTS.values(), ids=CHARTS)
themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


@every_chart
@themes
def test_options_are_plain_data_without_scripts(make: Callable[[bool], Options], theme: Theme) -> None:
    options = make(theme is DARK)
    assert json.loads(json.dumps(options, allow_nan=False))
    for path, _ in walk(options):
        assert not any(key.startswith(":") for key in path), "NiceGUI would run it"


@every_chart
@themes
def test_texts_are_read_in_light_and_dark(make: Callable[[bool], Options], theme: Theme) -> None:
    texts = [
        value
        for path, value in walk(make(theme is DARK))
        if path[-1:] == ("color",) and {"textStyle", "nameTextStyle", "axisLabel", "label"} & {*path[:-1]}
    ]
    assert texts
    for colour in texts:
        assert contrast(str(colour), theme.paper) >= 4.5


@every_chart
@themes
def test_texts_are_large_enough(make: Callable[[bool], Options], theme: Theme) -> None:
    sizes = [value for path, value in walk(make(theme is DARK)) if path[-1:] == ("fontSize",)]
    assert all(isinstance(size, int) and size >= 11 for size in sizes)


@every_chart
def test_a_description_is_there_and_patterns_beside_colours(make: Callable[[bool], Options]) -> None:
    aria = make(False)["aria"]
    assert aria["enabled"] is True
    assert aria["decal"]["show"] is True
    assert aria["label"]["description"].endswith(".")


@themes
def test_patterns_differ(theme: Theme) -> None:
    assert len({json.dumps(decal) for decal in decals(theme)}) == len(theme.series) == 4


@settings(deadline=None, max_examples=30)
@given(spec=model_specs())
def test_bars_are_the_costs_of_stages(spec: ModelSpec) -> None:
    costs = [cost(spec, side) for side in (64, 448)]
    options = cost_bars(costs)
    for total, series in zip(costs, options["series"], strict=False):
        rows = total.by_stage()
        divisor = {"GMACs": 1e9, "MMACs": 1e6}[options["yAxis"][0]["name"]]
        assert len(series["data"]) == len(rows)
        for row, bar in zip(rows, series["data"], strict=True):
            assert bar["value"] == pytest.approx(row.macs / divisor, abs=0.06 if divisor == 1e6 else 0.0006)
    params = [bar["value"] for bar in named(options, "parameters")["data"]]
    assert sum(params) == pytest.approx(costs[0].params / 1e6, abs=0.001 * len(params))


def test_bars_tell_what_the_command_line_tells() -> None:
    options = cost_bars([cost(S, 448)])
    assert options["xAxis"][0]["data"] == ["stem", *(f"stage {index}" for index in range(5)), "head"]
    bar = options["series"][0]["data"][4]
    assert bar["tooltip"]["formatter"] == "stage 3 at 448: 2.502 GMACs, 49.9 %"
    assert named(options, "parameters")["data"][4]["tooltip"]["formatter"] == "stage 3: 11,488,960 parameters, 33.4 %"
    assert "In all 34.39 M parameters, 5.009 GMACs at 448." in options["aria"]["label"]["description"]
    assert [axis["name"] for axis in options["yAxis"]] == ["GMACs", "params M"]


def test_small_networks_are_told_in_millions() -> None:
    assert cost_bars([cost("tiny")])["yAxis"][0]["name"] == "MMACs"


@pytest.mark.parametrize(
    ("sides", "has_legend", "has_labels"),
    [
        ((448,), False, True),
        ((224, 448), True, True),
        ((224, 448, 768), True, False),
        ((224, 448, 640, 768), True, False),
    ],
    ids=["1", "2", "3", "4"],
)
def test_labels_and_legend_where_there_is_room_and_need(
    sides: Sequence[int], has_legend: bool, has_labels: bool
) -> None:
    options = cost_bars([cost(S, side) for side in sides])
    assert options["legend"]["show"] is has_legend
    assert options["legend"]["data"] == [f"{side} px" for side in sides]
    assert options["series"][0]["label"]["show"] is has_labels


def test_very_many_stages_are_summed_up() -> None:
    run = {"block": "hr", "depth": 1, "width": 8}
    stages = [run if not index else {**run, "downsample": "irds_a"} for index in range(90)]
    spec = ModelSpec.model_validate({"name": "long", "stem": {"stem": "hr", "width": 8}, "stages": stages})
    total = cost(spec, 64)
    options = cost_bars([total])
    assert len(options["xAxis"][0]["data"]) == MOST_STAGES
    assert options["xAxis"][0]["data"][-2:] == ["53 more", "head"]
    params = sum(bar["value"] for bar in named(options, "parameters")["data"])
    assert params == pytest.approx(total.params / 1e6, abs=0.001 * MOST_STAGES)


def test_curve_points_are_costs() -> None:
    points = {point.side: point.macs for point in curve_points(S)}
    assert (min(points), max(points)) == (224, 1536)
    assert points[448] == cost(S, 448).macs
    assert all(macs is not None for macs in points.values())


def test_a_size_that_is_refused_has_its_reason() -> None:
    (point,) = curve_points(S, [16])
    assert point.macs is None
    assert point.reason.startswith("16x16 is too small")


def test_the_curve_is_parted_at_the_budget() -> None:
    points = [CurvePoint(200, 2 * 10**9), CurvePoint(400, 4 * 10**9), CurvePoint(600, 8 * 10**9)]
    options = resolution_curve(points, own=None, budget_macs=5 * 10**9)
    within, over, own = options["series"]
    assert [point["value"] for point in within["data"]] == [[200, 2.0], [400, 4.0], [450.0, 5.0]]
    assert [point["value"] for point in over["data"]] == [[450.0, 5.0], [600, 8.0]]
    assert [point.get("symbol") for point in within["data"]] == [None, None, "none"]
    assert own["data"] == []
    assert within["markLine"]["data"] == [{"yAxis": 5.0}]
    assert within["markLine"]["label"]["formatter"] == "budget 5 GMACs"
    assert "is kept up to 400 pixels" in options["aria"]["label"]["description"]


@pytest.mark.parametrize("budget", [None, 1, 10**15], ids=["none", "never kept", "always kept"])
def test_a_curve_on_one_side_of_the_budget_is_whole(budget: int | None) -> None:
    within, over, _ = resolution_curve(curve_points(S), own=cost(S), budget_macs=budget)["series"]
    assert sorted([len(within["data"]), len(over["data"])]) == [0, len(curve_points(S))]
    assert len(over["data"]) == (len(curve_points(S)) if budget == 1 else 0)


def test_sizes_that_are_not_taken_break_the_curve_and_are_told() -> None:
    points = [
        CurvePoint(224, None, "a map of 7x7 has no window of 12x12"),
        CurvePoint(256, 10**9),
        CurvePoint(320, None, "no"),
    ]
    options = resolution_curve(points, own=None)
    assert [point["value"][1] for point in options["series"][0]["data"]] == [None, 1.0, None]
    assert options["title"]["text"] == "not at 224, 320: a map of 7x7 has no window of 12x12"
    assert "it can't take 224, 320 pixels" in options["aria"]["label"]["description"]
    assert resolution_curve(curve_points(S), own=None)["title"]["text"] == ""


def test_the_own_size_is_marked_where_a_square_has_as_many_pixels() -> None:
    (mark,) = resolution_curve(curve_points(S), own=cost(S, (512, 1024)))["series"][2]["data"]
    assert mark["value"] == [724.1, round(cost(S, (512, 1024)).macs / 1e9, 3)]
    assert mark["label"]["formatter"].startswith("512x1024 px: ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            resolution_curve(curve_points(S), own=cost(S), budget_macs=10**9),
            resolution_curve(curve_points(S, [16, 448]), own=None),
        ),
        (
            pareto(networks(), score_name="score", selected=3, pinned=(1, 2), budget_macs=10**9),
            pareto(networks(), score_name="score", stage_counts={4}, placed={0: {"T"}}),
        ),
    ],
    ids=["curve", "pareto"],
)
def test_series_are_the_same_so_that_nothing_of_before_stays(one: Options, other: Options) -> None:
    assert [series["name"] for series in one["series"]] == [series["name"] for series in other["series"]]
    for before, after in zip(one["series"], other["series"], strict=True):
        assert {*before} == {*after}


def test_comparison_is_in_multiples_of_the_first() -> None:
    first, second = cost(S, 448), cost("davit_tiny", 448)
    options = comparison_bars([("hiri_s", first), ("davit_tiny", second)])
    one, other = options["series"]
    assert [bar["value"] for bar in one["data"]] == [1, 1, 1, 1]
    assert [bar["value"] for bar in other["data"]] == pytest.approx(
        [
            second.params / first.params,
            second.macs / first.macs,
            second.memory_bytes / first.memory_bytes,
            second.training_memory_bytes / first.training_memory_bytes,
        ],
        abs=1e-4,
    )
    assert other["data"][1]["label"]["formatter"] == "18.085 GMACs, 3.61 x"
    assert options["xAxis"]["name"] == "times hiri_s"
    assert options["xAxis"]["max"] > 3.61


def test_names_of_others_are_escaped() -> None:
    options = comparison_bars([("<img src=x>", cost(S))])
    for path, value in walk(options):
        if path[-2:] == ("tooltip", "formatter"):
            assert "<" not in str(value)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (told_macs(5_009_471_744), "5.009 GMACs"),
        (told_macs(4_560_000), "4.6 MMACs"),
        (told_params(34_392_904), "34.39 M"),
        (told_params(30_176), "30,176"),
    ],
    ids=["G", "M", "millions", "few"],
)
def test_figures_are_told_as_on_the_command_line(told: str, expected: str) -> None:
    assert told == expected
