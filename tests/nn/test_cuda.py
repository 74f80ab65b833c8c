"""CUDA's ways, on fakes: no test machine has a GPU."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch

from hiri_spec import SpecError
from hiri_spec.nn.cuda import WARM_UP, check_cuda, record_graph, time_on_cuda


class Device:
    """What torch.cuda would do, noted in order; a call takes 2.5 ms on it."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def event(self, *, enable_timing: bool) -> Any:
        assert enable_timing
        device = self

        class Event:
            def record(self) -> None:
                device.log.append("record")

            def synchronize(self) -> None:
                device.log.append("wait")

            def elapsed_time(self, end: Any) -> float:
                assert end is not self
                return 2.5

        return Event()


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    fake = Device()
    monkeypatch.setattr(torch.cuda, "Event", fake.event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: fake.log.append("idle"))
    return fake


def test_events_stand_around_the_call(device: Device) -> None:
    assert time_on_cuda(lambda: device.log.append("call")) == 0.0025
    assert device.log == ["idle", "record", "call", "record", "wait"]


def test_a_graph_is_recorded_after_warming_up(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []

    class Stream:
        def wait_stream(self, other: Any) -> None:
            log.append("wait")

    class Graph:
        def replay(self) -> None:
            log.append("replay")

    @contextmanager
    def recording(graph: Any) -> Any:
        assert isinstance(graph, Graph)
        log.append("recording")
        yield
        log.append("recorded")

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", recording)
    outputs = iter(range(100))

    def call() -> int:
        log.append("call")
        return next(outputs)

    replay = record_graph(call)
    assert log == ["wait", *["call"] * WARM_UP, "wait", "recording", "call", "recorded"]
    assert replay() == replay() == WARM_UP, "the recorded call's output, written in place"
    assert log[-2:] == ["replay", "replay"]


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, r"--device: torch .* is built without CUDA; install a build with it, or use --device cpu"),
        ("13.2", r"--device: torch \(built for CUDA 13.2\) finds no CUDA device; check the GPU .* or use --device cpu"),
    ],
    ids=["build", "device"],
)
def test_without_cuda(monkeypatch: pytest.MonkeyPatch, version: str | None, message: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", version)
    with pytest.raises(SpecError, match=message):
        check_cuda()


def test_with_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    check_cuda()
