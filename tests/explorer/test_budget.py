"""Budgets: every fitted candidate is within, bounds hold for every draw, and the impossible is refused."""

import random
from collections.abc import Callable
from itertools import product
from math import ceil, floor
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import hiri_spec
from explorer.bounds import Measure, bound, is_boundable
from explorer.budget import Budget, check_possible, cost_of, fit, format_macs, measure_feasibility, settle_heads
from explorer.space import is_ordered, load_space
from hiri_spec import SpecError
from hiri_spec.quantities import parse_macs

DEFAULT = load_space()
FIVE = Budget(5_000_000_000)
SEEDS = st.integers(0, 10**6)


@pytest.mark.parametrize(
    ("macs", "params", "expected"),
    [(100, 10, 0), (90, 10, 0), (89, 10, -1), (101, 10, 1), (95, 11, 1), (50, 11, 1)],
)
def test_excess(macs: int, params: int, expected: int) -> None:
    budget = Budget(100, max_params=10)
    assert budget.excess(macs, params) == expected
    assert budget.is_met(macs, params) is (expected == 0)


@settings(deadline=None, max_examples=150)
@given(seed=SEEDS, macs=st.sampled_from([1_000_000_000, 5_000_000_000, 20_000_000_000]))
def test_what_is_fitted_is_within(seed: int, macs: int) -> None:
    rng = random.Random(seed)
    budget = Budget(macs, max_params=40_000_000)
    start = DEFAULT.draw(rng)
    candidate = fit(DEFAULT, budget, start, rng)
    assume(candidate is not None)
    assert 0.9 * macs <= candidate.macs <= macs
    assert candidate.params <= 40_000_000
    assert (candidate.macs, candidate.params) == cost_of(candidate.spec)
    assert is_ordered(candidate.spec)
    changed = {name for name in start if start[name] != candidate.assignment[name]}
    assert {DEFAULT.parameters[name].field for name in changed} <= {"width", "depth", "heads"}


def test_most_ordered_draws_can_be_fitted() -> None:
    rng = random.Random(0)
    fitted = sum(fit(DEFAULT, FIVE, DEFAULT.draw(rng), rng) is not None for _ in range(200))
    assert fitted > 60


@settings(deadline=None)
@given(seed=SEEDS)
def test_settled_heads_divide_the_width(seed: int) -> None:
    spec = DEFAULT.spec(settle_heads(DEFAULT, DEFAULT.draw(random.Random(seed))))
    assert spec is not None


@settings(deadline=None, max_examples=300)
@given(seed=SEEDS)
def test_bounds_hold_for_every_network(seed: int) -> None:
    spec = DEFAULT.spec(DEFAULT.draw(random.Random(seed)))
    assume(spec is not None and is_ordered(spec))
    macs, params = cost_of(spec)
    assert BOUNDS[0].value <= macs <= BOUNDS[1].value
    assert BOUNDS[2].value <= params


MEASURES: tuple[Measure, ...] = ("macs", "params")
BOUNDS = [bound(DEFAULT, "macs"), bound(DEFAULT, "macs", most=True), bound(DEFAULT, "params")]


ENUMERABLE = """\
name: enumerable
resolution: 64
stem: {stem: conv, width: {choice: [8, 16]}}
stages:
  choice:
    - - &first
        choice: [{block: hr, depth: {range: [1, 3]}, width: {choice: [8, 16]}}, {block: cffn, depth: 1, width: 24}]
      - &second
        choice:
          - {block: hr, depth: 2, width: {choice: [16, 32]}, downsample: irds_a}
          - {block: transformer, depth: 1, width: {choice: [16, 24]}, heads: {choice: [2, 3]}, downsample: irds_b}
    - - *first
      - *second
      - {block: cffn, depth: {range: [1, 2]}, width: 16, expansion: {choice: [2, 4]}, downsample: irds_b}
"""


def test_bounds_are_reached(tmp_path: Path) -> None:
    """In a space small enough to try every assignment, the bounds are the extremes."""
    path = tmp_path / "enumerable.yaml"
    path.write_text(ENUMERABLE)
    space = load_space(path)
    options = [range(len(parameter.labels)) for parameter in space.parameters.values()]
    specs = [space.spec(dict(zip(space.parameters, indices, strict=True))) for indices in product(*options)]
    costs = [cost_of(spec) for spec in {spec for spec in specs if spec is not None} if is_ordered(spec)]
    for place, measure in enumerate(MEASURES):
        values = [cost[place] for cost in costs]
        least, most = bound(space, measure), bound(space, measure, most=True)
        assert least is not None
        assert most is not None
        assert (least.value, most.value) == (min(values), max(values))


@pytest.mark.parametrize(
    ("budget", "match"),
    [
        (
            Budget(1_000_000),
            r"--budget: 1\.000 MMACs are too few: the cheapest .* costs 0\.267 GMACs at 448; use at least 0\.267 GMACs",
        ),
        (
            Budget(10**15),
            r"--budget: no network can use 90% .* the dearest .* costs 92\.984 GMACs .* use at most 103\.315",
        ),
        (Budget(5 * 10**9, max_params=1000), r"--max-params: 1,000 are too few: the smallest .* has 378,216"),
    ],
    ids=["too-few", "too-many", "params"],
)
def test_impossible_budgets(budget: Budget, match: str) -> None:
    with pytest.raises(SpecError, match=match):
        check_possible(DEFAULT, budget)


@pytest.mark.parametrize(
    ("macs", "to_whole", "told"),
    [
        (5, round, "5 MACs"),
        (99_999, round, "99,999 MACs"),
        (100_000, round, "0.100 MMACs"),
        (85_753_296, ceil, "85.754 MMACs"),
        (99_999_999, round, "100.000 MMACs"),
        (266_531_200, floor, "0.266 GMACs"),
        (10**17, round, "100000000.000 GMACs"),
    ],
)
def test_amounts_keep_their_value(macs: int, to_whole: Callable[[float], int], told: str) -> None:
    assert format_macs(macs, to_whole) == told


def test_what_a_refusal_advises_is_not_refused() -> None:
    with pytest.raises(SpecError, match=r"are too few: .*; use at least") as too_few:
        check_possible(DEFAULT, Budget(1_000_000))
    with pytest.raises(SpecError, match=r"no network can use .*; use at most") as too_many:
        check_possible(DEFAULT, Budget(10**15))
    for refusal in (too_few, too_many):
        amount = str(refusal.value).rsplit("use at ", 1)[-1].split()[1]
        check_possible(DEFAULT, Budget(parse_macs(f"{amount}gmacs")))


def test_feasibility_is_the_seeds() -> None:
    first = measure_feasibility(DEFAULT, FIVE, seed=1, draws=500)
    assert first == measure_feasibility(DEFAULT, FIVE, seed=1, draws=500)
    assert 0 < first.feasible < first.valid < 1


@pytest.mark.parametrize(
    ("stages", "match"),
    [
        (
            "[{block: ffn, depth: {choice: [1, 2]}, width: 8}, {block: ffn, depth: 1, width: 16}]",
            r"bad\.yaml:3 .*no network of this space is valid, e\.g\. here: 16 differs .* add a downsample",
        ),
        (
            "[{block: transformer, depth: {choice: [1, 2]}, width: 8, heads: 1},"
            " {block: hr, depth: 1, width: 16, downsample: irds_a}]",
            r"in every network of this space an HR block follows a Transformer",
        ),
    ],
    ids=["widths", "order"],
)
def test_spaces_without_a_network(tmp_path: Path, stages: str, match: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(f"name: bad\nstem: vit\nstages: {stages}\n")
    with pytest.raises(SpecError, match=match):
        check_possible(load_space(path), Budget(10**9))


def test_bounds_of_stages_with_many_runs_take_no_time(tmp_path: Path) -> None:
    """Runs are followed one by one: listing these stages whole would take 2,916 cubed combinations."""
    run = "{block: cffn, depth: {range: [1, 9]}, width: {range: [8, 72, 8]}, kernel: {choice: [3, 5, 7]}, %s}"
    ways = "norm: {choice: [batch, layer]}, activation: {choice: [gelu, relu, silu]}, expansion: {range: [1, 6]}"
    stage = f"[{', '.join([run % ways] * 3)}]"
    path = tmp_path / "long.yaml"
    path.write_text(f"name: long\nresolution: 32\nstem: vit\nstages: [{stage}]\n")
    space = load_space(path)
    least, most = bound(space, "macs"), bound(space, "macs", most=True)
    assert least is not None
    assert most is not None
    assert (least.sketch, most.sketch) == ("C1+C1+C1", "C9+C9+C9")


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("most", [False, True], ids=["least", "most"])
@pytest.mark.parametrize("source", [None, ENUMERABLE], ids=["default", "enumerable"])
def test_the_ends_of_widths_give_the_same_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | None, measure: Measure, most: bool
) -> None:
    space = DEFAULT
    if source is not None:
        (tmp_path / "space.yaml").write_text(source)
        space = load_space(tmp_path / "space.yaml")
    exact = bound(space, measure, most=most)
    monkeypatch.setattr("explorer.bounds.MAX_WAYS", 0)
    assert bound(space, measure, most=most) == exact


FINE = """\
name: fine
resolution: 224
stem: {stem: hr, width: 32}
stages:
  - {block: hr, depth: {range: [1, 6]}, width: {range: [8, 2048, 8]}, kernel: {choice: [3, 5, 7]}}
  - {block: cffn, depth: {range: [1, 6]}, width: {range: [8, 2048, 8]}, kernel: {choice: [3, 5]}, downsample: irds_a}
  - - {block: cffn, depth: {range: [1, 6]}, width: {range: [8, 2048, 8]}, kernel: {choice: [3, 5]}, downsample: irds_a}
    - {block: ffn, depth: 1, width: {range: [64, 4096, 8]}}
  - {block: transformer, depth: 1, width: {range: [8, 2048, 8]}, heads: {choice: [3, 5]}, downsample: irds_b}
"""


def test_a_space_of_fine_steps_is_bounded_in_no_time(tmp_path: Path) -> None:
    """Step by step there are a quarter of a million ways from each run to the next."""
    path = tmp_path / "fine.yaml"
    path.write_text(FINE)
    space = load_space(path)
    assert is_boundable(space)
    kernels = {f"stages.{place}.kernel": 3 for place in ("0", "1", "2.0")}
    widths = {"stages.0": 8, "stages.1": 8, "stages.2.0": 64, "stages.2.1": 64, "stages.3": 24}
    depths = {f"stages.{place}.depth": 1 for place in ("0", "1", "2.0")}
    changes = kernels | depths | {f"{place}.width": width for place, width in widths.items()} | {"stages.3.heads": 3}
    cheapest = hiri_spec.load(path, set=changes)
    least = bound(space, "macs")
    assert least is not None
    assert least.value == cost_of(cheapest)[0]


def test_a_space_of_too_many_ways_is_let_through(tmp_path: Path) -> None:
    path = tmp_path / "wide.yaml"
    kinds = "norm: {choice: [batch, layer]}, activation: {choice: [gelu, relu, silu]}, name: {choice: [a, b, c]}"
    many = f"kernel: {{range: [1, 301, 2]}}, layer_scale: {{range: [0.1, 1, 0.1]}}, {kinds}"
    stage = f"{{block: cffn, depth: 1, width: {{range: [8, 72, 8]}}, {many}}}"
    path.write_text(f"name: wide\nstem: vit\nstages: [{stage}]\n")
    space = load_space(path)
    assert not is_boundable(space)
    check_possible(space, Budget(1))


def test_long_ranges_are_fitted_in_strides(tmp_path: Path) -> None:
    """In steps of one option a draw far from the budget would not get there."""
    path = tmp_path / "fine.yaml"
    path.write_text(
        "name: long\nstem: vit\nresolution: 64\nstages:\n"
        "  - {block: ffn, depth: 1, width: {range: [8, 4096, 2]}}\n"
        "  - {block: ffn, depth: 1, width: {range: [8, 4096, 2]}, downsample: norm_conv}\n"
    )
    space, rng = load_space(path), random.Random(0)
    top = {"stages.0.width": 2044, "stages.1.width": 2044}
    candidate = fit(space, Budget(20_000_000), top, rng)
    assert candidate is not None
    assert 18_000_000 <= candidate.macs <= 20_000_000
