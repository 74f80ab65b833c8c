"""Where a network's time goes, by operator: torch's profiler around a few passes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch._C._autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from ...errors import Problem, SpecError
from ..cuda import WARM_UP, check_cuda
from ..threads import threads_set_to
from .models import Subject
from .modes import choose_modes
from .run import DTYPES, Settings, build_settled, failures_told, make_images

PASSES = 5


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One operator: how often a pass calls it, and its own milliseconds a pass, without what it calls."""

    name: str
    calls: float
    self_ms: float
    share: float


@dataclass(frozen=True, slots=True)
class Profile:
    """The operators of one network in one mode, dearest first; `total_ms` is the sum of a pass over all of them."""

    label: str
    mode: str
    batch: int
    total_ms: float
    rows: list[OperatorRow]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def profile_network(subject: Subject, mode_name: str, *, settings: Settings, top: int | None = None) -> Profile:
    """Profile some passes in a mode, at `settings.batch` images or else one; `top` keeps so many operators.

    Raises SpecError for a mode whose inside torch's profiler doesn't see, or which the network or the machine lacks.
    """
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler tells of CUDA that isn't there
    if settings.device == "cuda":
        check_cuda()
    device, dtype = torch.device(settings.device), DTYPES[settings.dtype]
    (mode,), _ = choose_modes([mode_name], device, dtype)
    if not mode.is_for(subject):
        raise SpecError(Problem(f"{mode.name} is for specs, and {subject.name} is timm's", "--modes"))
    if mode.runs_elsewhere:
        message = f"torch's profiler doesn't see inside {mode.name}; take a mode without onnx and graph"
        raise SpecError(Problem(message, "--modes"))
    batch = settings.batch or 1
    with threads_set_to(settings.threads), failures_told(f"{subject.label} {mode.name}"):
        module = build_settled(subject, device, dtype)
        call = mode.bind(mode.convert(module), make_images(subject, batch, device, dtype))
        for _ in range(WARM_UP):
            call()
        activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (device.type == "cuda")
        with profile(activities=activities) as record:
            for _ in range(PASSES):
                call()
            if device.type == "cuda":
                torch.cuda.synchronize()
    return summarise(record.key_averages(), subject.label, mode.name, batch, device.type, top)


def summarise(events: Iterable[Any], label: str, mode: str, batch: int, device: str, top: int | None) -> Profile:
    """Operators by their own time on the device, from the averages of torch's profiler over all passes."""
    own: list[tuple[str, int, float]] = []
    for event in events:
        # on CUDA the kernels have events of their own beside the operators that launched them
        if event.device_type == DeviceType.CPU:
            time_us = event.self_cpu_time_total if device == "cpu" else event.self_device_time_total
            own.append((event.key, event.count, time_us))
    own = sorted((row for row in own if row[2] > 0), key=lambda row: -row[2])
    total = sum(time_us for _, _, time_us in own)
    rows = [
        OperatorRow(name, count / PASSES, time_us / PASSES / 1e3, time_us / total) for name, count, time_us in own[:top]
    ]
    return Profile(label, mode, batch, total / PASSES / 1e3, rows)
