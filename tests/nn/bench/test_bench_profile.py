"""Where the time goes, by operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from torch._C._autograd import DeviceType

from hiri_spec import SpecError
from hiri_spec.nn.bench.models import read_subject
from hiri_spec.nn.bench.profile import PASSES, profile_network, summarise
from hiri_spec.nn.bench.run import Settings


class Event(NamedTuple):
    """An average of torch's profiler."""

    key: str
    count: int
    self_cpu_time_total: float
    self_device_time_total: float = 0.0
    device_type: DeviceType = DeviceType.CPU


EVENTS = [
    Event("gelu", PASSES, 1000, 4000),
    Event("convolution", 3 * PASSES, 3000, 500),
    Event("view", PASSES, 0, 0),
    Event("the kernel of gelu", PASSES, 0, 4000, DeviceType.CUDA),
]


def test_dearest_first() -> None:
    found = summarise(EVENTS, "x@1", "eager", 1, "cpu", None)
    assert [(row.name, row.calls, row.share) for row in found.rows] == [("convolution", 3, 0.75), ("gelu", 1, 0.25)]
    assert found.rows[0].self_ms == pytest.approx(3 / PASSES)
    assert found.total_ms == pytest.approx(4 / PASSES)
    assert found.as_dict()["rows"][1]["name"] == "gelu"


def test_on_cuda_it_is_the_devices_time() -> None:
    found = summarise(EVENTS, "x@1", "eager", 1, "cuda", None)
    assert [row.name for row in found.rows] == ["gelu", "convolution"]
    assert found.total_ms == pytest.approx(4.5 / PASSES), "kernels are not counted twice"


def test_the_top_has_shares_of_all() -> None:
    found = summarise(EVENTS, "x@1", "eager", 1, "cpu", 1)
    assert [row.share for row in found.rows] == [0.75]


def test_a_real_network(tiny: str) -> None:
    found = profile_network(read_subject(tiny), "channels_last", settings=Settings(batch=2))
    assert (found.label, found.mode, found.batch) == ("tiny@64", "channels_last", 2)
    assert sum(row.share for row in found.rows) == pytest.approx(1)
    convolutions = next(row for row in found.rows if row.name == "aten::convolution")
    assert convolutions.calls > 10


@pytest.mark.parametrize(
    ("name", "mode", "message"),
    [
        ("hiri_s", "onnx", "doesn't see inside onnx"),
        ("hiri_s", "graph", "needs --device cuda"),
        ("hiri_s", "fuesd", "did you mean 'fused'"),
        ("resnet10t", "fused", "fused is for specs, and resnet10t is timm's"),
    ],
    ids=["onnx", "graph", "typo", "timm"],
)
def test_mistakes(name: str, mode: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        profile_network(read_subject(name), mode, settings=Settings())


def test_a_mode_that_fails(tiny: str, use_fuse: Callable[[Callable[[Any], Any]], None]) -> None:
    def fuse(model: Any) -> Any:
        raise KeyError("norm")

    use_fuse(fuse)
    with pytest.raises(SpecError, match="tiny@64 fused: fails: KeyError: 'norm'"):
        profile_network(read_subject(tiny), "fused", settings=Settings())
