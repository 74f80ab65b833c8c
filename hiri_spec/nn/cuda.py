"""CUDA's own ways: a device that is there, times taken by events on it, and launches recorded once as a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..errors import Problem, SpecError

WARM_UP = 3


def check_cuda() -> None:
    """Raise SpecError where torch can't reach a CUDA device."""
    if torch.cuda.is_available():
        return
    if torch.version.cuda is None:
        why = f"torch {torch.__version__} is built without CUDA; install a build with it"
    else:
        why = f"torch (built for CUDA {torch.version.cuda}) finds no CUDA device; check the GPU and its driver"
    raise SpecError(Problem(f"{why}, or use --device cpu", "--device", code="no_cuda"))


def time_on_cuda(call: Callable[[], object]) -> float:
    """Seconds between two events around one call, the device idle before it."""
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    start.record()
    call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / 1e3


def record_graph(call: Callable[[], Any]) -> Callable[[], Any]:
    """The call's kernels as one CUDA graph: one launch instead of hundreds. Its output is written in place."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # libraries choose their kernels and take their workspace before the recording
        for _ in range(WARM_UP):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = call()

    def replay() -> Any:
        graph.replay()
        return out

    return replay
