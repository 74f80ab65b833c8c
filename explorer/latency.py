"""Inference time of built networks, measured in turn on this machine so that noise meets all alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from hiri_spec import ModelSpec, build
from hiri_spec.nn.cuda import check_cuda, time_on_cuda
from hiri_spec.nn.timing import Limits, interleave, spread, time_call

RUNS = 7


def measure_latencies_ms(
    specs: Sequence[tuple[ModelSpec, int | tuple[int, int]]], runs: int = RUNS, device: str = "cpu"
) -> list[float]:
    """Median milliseconds of one image through each network at its resolution; the networks take turns.

    Raises SpecError for "cuda" where there is none.
    """
    if device != "cpu":
        check_cuda()
    calls = []
    for spec, resolution in specs:
        size = resolution if isinstance(resolution, tuple) else (resolution, resolution)
        image = torch.randn(1, spec.in_channels, *size, device=device)
        calls.append(_bind(build(spec).eval().to(device), image))
    rounds = interleave(
        calls,
        Limits(rounds=runs, seconds=None),
        turn_seconds=0,
        time_call=time_call if device == "cpu" else time_on_cuda,
    )
    return [1e3 * spread(rounds.column(index)).median for index in range(len(calls))]


def _bind(model: nn.Module, image: Tensor) -> Callable[[], Tensor]:
    def run() -> Tensor:
        with torch.inference_mode():
            out: Tensor = model(image)
            return out

    return run
