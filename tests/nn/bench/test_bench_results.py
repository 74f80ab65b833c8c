"""What a report says, from made-up times."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hiri_spec.nn.bench.models import Subject
from hiri_spec.nn.bench.results import BenchInfo, KernelTimes, Measured, Report, find_best, get_bench_info

FIRST = Subject("first", "first", (448, 448), 3, params=10, macs=1_000)
SECOND = Subject("second", "second", (224, 224), 3, params=20, macs=4_000)


def measured(mode: str, one: list[float], many: list[float] | None = None, **more: Any) -> Measured:
    return Measured(mode, difference=1e-6, seconds={1: one} | ({8: many} if many else {}), **more)


@pytest.fixture
def info() -> BenchInfo:
    # the machine is twice as slow in the second of three rounds
    networks = [
        (
            FIRST,
            [
                measured("eager", [0.1, 0.2, 0.1], [0.4, 0.8, 0.4]),
                measured("fused", [0.05, 0.1, 0.05], [0.8, 1.6, 0.8]),
                Measured("onnx", problem="broken"),
            ],
        ),
        (
            SECOND,
            [
                measured("eager", [0.2, 0.4, 0.2], [0.8, 1.6, 0.8]),
                Measured("fused", is_offered=False),
                measured("onnx", [0.3, 0.6, 0.3], [0.2, 0.4, 0.2]),
            ],
        ),
    ]
    kernels = [KernelTimes("slow", 100, [0.01, 0.02, 0.01]), KernelTimes("quick", 400, [0.01, 0.02, 0.01])]
    return get_bench_info(Report({"batch": 8}, 8, networks, kernels))


def test_the_best_modes(info: BenchInfo) -> None:
    first, second = info.networks
    assert (first.best_mode, first.best_throughput_mode) == ("fused", "eager")
    assert (second.best_mode, second.best_throughput_mode) == ("eager", "onnx")


def test_the_best_against_the_best(info: BenchInfo) -> None:
    first, second = info.networks
    assert first.latency_of_first is not None
    assert first.latency_of_first.median == first.macs_of_first == first.time_over_macs == 1
    assert second.latency_of_first is not None
    assert second.latency_of_first.as_dict() == {"median": 4, "lower": 4, "upper": 4}
    assert second.throughput_of_first is not None
    assert second.throughput_of_first.median == 2, "twice the images a second"


def test_mode_against_mode(info: BenchInfo) -> None:
    first, second = info.networks
    eager, fused, onnx = second.modes
    assert eager.latency_of_first is not None
    assert eager.latency_of_first.median == 2
    assert eager.throughput_of_first is not None
    assert eager.throughput_of_first.median == 0.5
    assert first.modes[1].latency_of_eager is not None
    assert first.modes[1].latency_of_eager.median == 0.5
    assert onnx.latency_of_first is None, "the first network has no time in that mode"
    assert onnx.latency_of_eager is not None
    assert onnx.latency_of_eager.median == pytest.approx(1.5)
    assert not fused.is_offered
    assert fused.latency_ms is None


def test_times_and_rates(info: BenchInfo) -> None:
    eager = info.networks[0].modes[0]
    assert eager.latency_ms is not None
    assert eager.latency_ms.as_dict() == pytest.approx({"median": 100, "lower": 100, "upper": 150})
    assert eager.images_per_second is not None
    assert eager.images_per_second.median == pytest.approx(20)
    assert eager.macs_per_second == pytest.approx(10_000)
    assert eager.rounds_ms == {1: [100, 200, 100], 8: [400, 800, 400]}


def test_the_share_of_the_peak_is_taken_round_by_round(info: BenchInfo) -> None:
    assert info.peak_kernel == "quick"
    assert info.peak_macs_per_second == pytest.approx(40_000)
    share = info.networks[0].modes[0].share_of_peak
    assert share is not None
    assert share.as_dict() == pytest.approx({"median": 0.25, "lower": 0.25, "upper": 0.25})


@pytest.mark.parametrize(
    ("seconds", "follows"),
    [(4.0, True), (5.9, True), (6.1, False), (2.7, True), (2.6, False)],
    ids=["as-macs", "just-slower", "slower", "just-faster", "faster"],
)
def test_the_flag(seconds: float, follows: bool) -> None:
    networks = [(FIRST, [measured("eager", [1.0])]), (SECOND, [measured("eager", [seconds])])]
    info = get_bench_info(Report({"batch": 0}, 0, networks, [KernelTimes("one", 1, [1.0])]))
    assert info.networks[0].follows_macs
    assert info.networks[1].time_over_macs == pytest.approx(seconds / 4)
    assert info.networks[1].follows_macs is follows


def test_without_throughput() -> None:
    networks = [(FIRST, [measured("eager", [1.0])])]
    info = get_bench_info(Report({"batch": 0}, 0, networks, [KernelTimes("one", 1, [1.0])]))
    assert info.networks[0].best_throughput_mode is None
    assert info.networks[0].modes[0].images_per_second is None


def test_a_first_network_without_times_has_nothing_against_it() -> None:
    networks = [(FIRST, [Measured("eager", problem="broken")]), (SECOND, [measured("eager", [1.0], [2.0])])]
    info = get_bench_info(Report({"batch": 8}, 8, networks, [KernelTimes("one", 1, [1.0])]))
    assert info.networks[0].best_mode is None
    second = info.networks[1]
    assert (second.best_mode, second.latency_of_first, second.follows_macs) == ("eager", None, None)
    assert second.throughput_of_first is None


def test_batch_one_is_both() -> None:
    networks = [(FIRST, [measured("eager", [0.5])])]
    info = get_bench_info(Report({"batch": 1}, 1, networks, [KernelTimes("one", 1, [1.0])]))
    assert info.networks[0].modes[0].images_per_second is not None
    assert info.networks[0].modes[0].images_per_second.median == 2


def test_as_json(info: BenchInfo) -> None:
    data = json.loads(json.dumps(info.as_dict(), allow_nan=False))
    assert data["convention"].startswith("MACs as papers count GFLOPs")
    assert data["follows_macs_within"] == 1.5
    assert [network["label"] for network in data["networks"]] == ["first@448", "second@224"]
    assert data["networks"][0]["modes"][2]["problem"] == "broken"


def test_nothing_timed_has_no_best() -> None:
    assert find_best([Measured("eager", problem="broken")], 1) is None
