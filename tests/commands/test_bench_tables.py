"""How the bench's figures are printed."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hiri_spec.commands.bench_tables import latency_table, networks_table, tell_footer, tell_settings
from hiri_spec.nn.bench import BenchInfo, Report, Subject, get_bench_info
from hiri_spec.nn.bench.results import KernelTimes, Measured

SETTINGS = {"device": "cpu", "device_name": "A [CPU]", "threads": 2, "dtype": "float32", "torch": "2", "batch": 0}


@pytest.fixture
def info() -> BenchInfo:
    times: list[tuple[str, int, list[float]]] = [("first", 10**9, [0.09996]), ("a_long_name_of_timms", 10**9, [0.25])]
    networks = [
        (
            Subject(name, name, (224, 224), 3, params=12_345_678, macs=macs),
            [
                Measured("eager", seconds={1: seconds}),
                Measured("fused", is_offered=False),
                Measured("onnx", problem="broken"),
            ],
        )
        for name, macs, seconds in times
    ]
    kernels = [KernelTimes("torch.mm", 2 * 10**9, [0.01])]
    return get_bench_info(Report(SETTINGS | {"rounds": 1}, 0, networks, kernels))


def show(*tables: object, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(*tables, sep="\n")
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_settings(info: BenchInfo) -> None:
    assert show(tell_settings(info), width=80) == ["A [CPU], 2 threads, float32, torch 2, 1 round in turn"]


def test_the_flag_is_shown(info: BenchInfo) -> None:
    header, _, first, second = show(networks_table(info), width=120)
    assert header.split() == ["network", "params", "M", "GMACs", "/first", "ms", "/first", "time/MACs", "best", "mode"]
    assert first.split() == ["first@224", "12.35", "1.000", "1.00", "100", "1.00", "1.00", "eager"]
    assert second.split() == ["a_long_name_of_timms@224", "12.35", "1.000", "1.00", "250", "2.50", "2.50", "!", "eager"]
    footer = tell_footer(info)
    assert "peak: 200.000 GMACs/s, torch.mm, timed in the same rounds" in footer
    assert "! a_long_name_of_timms@224: 2.50 times the first's time with 1.00 times its MACs" in footer


def test_modes_without_times(info: BenchInfo) -> None:
    lines = show(latency_table(info), width=120)
    assert "  eager" in lines[4]
    assert lines[4].split() == ["eager", "100", "*", "100–100", "1.00", "1.00", "10.0", "5%"]
    assert lines[5].split() == ["fused", "–"]
    assert lines[6].split() == ["onnx", "failed"]


def test_numbers_are_whole_on_a_narrow_terminal(info: BenchInfo) -> None:
    text = "\n".join(show(networks_table(info), latency_table(info), width=70))
    assert "a_long_name_of_timms@224" not in text
    for whole in ("12.35", "2.50 !", "250–250", "time/MACs"):
        assert whole in text
