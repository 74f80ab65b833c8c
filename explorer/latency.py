"""Inference time of built networks, measured in turn on this machine so that noise meets all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import torch

from hiri_spec import ModelSpec, build

RUNS = 7


def measure_latencies_ms(specs: Sequence[tuple[ModelSpec, int | tuple[int, int]]], runs: int = RUNS) -> list[float]:
    """Median milliseconds of one image through each network at its resolution; the networks take turns."""
    models = []
    for spec, resolution in specs:
        size = resolution if isinstance(resolution, tuple) else (resolution, resolution)
        models.append((build(spec).eval(), torch.randn(1, spec.in_channels, *size)))
    times: list[list[float]] = [[] for _ in models]
    with torch.inference_mode():
        for turn in range(runs + 1):
            for (model, image), own in zip(models, times, strict=True):
                began = time.perf_counter()
                model(image)
                if turn:  # the first one warms up
                    own.append(1e3 * (time.perf_counter() - began))
    return [statistics.median(own) for own in times]
