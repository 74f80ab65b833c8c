"""What needs a clock: latency over resolution, and the speed of the norms."""

from __future__ import annotations

from typing import Any

import torch

import hiri_spec
from hiri_spec import ModelSpec

from ..latency import measure_latencies_ms
from .counted import Table
from .reported import Norms, Rows

RUNS_OF_FIGURE1 = 5
RUNS_OF_NORMS = 15


def describe_machine() -> str:
    """What the times were measured on."""
    count = torch.get_num_threads()
    return f"{count} {'thread' if count == 1 else 'threads'} of a CPU, torch {torch.__version__.partition('+')[0]}"


def time_figure1(reported: Rows) -> Table:
    """Milliseconds of the rows of figure 1, and as ratios beside the reported ones."""
    specs = [hiri_spec.load(row.spec) for row in reported.rows]
    timed = [(spec, row.resolution or spec.size) for spec, row in zip(specs, reported.rows, strict=True)]
    times = [round(time, 1) for time in measure_latencies_ms(timed, runs=RUNS_OF_FIGURE1)]
    columns = ("row", "ms an image", "over", "ratio", "reported ms", "reported ratio")
    table = Table("figure1_latency", f"{reported.title}, in time", columns, "figure1 --latency")
    by_label = {row.label: (row, own) for row, own in zip(reported.rows, times, strict=True)}
    for row, own in by_label.values():
        over, ratio, reported_ratio = row.time_over or "", "", ""
        if row.time_over is not None:
            base, base_time = by_label[row.time_over]
            ratio = f"{own / base_time:.2f} x"
            if row.latency_ms is not None and base.latency_ms is not None:
                reported_ratio = f"{row.latency_ms / base.latency_ms:.2f} x"
        reported_ms = "" if row.latency_ms is None else f"{row.latency_ms:.2f}"
        table.rows.append((row.label, f"{own:.1f}", over, ratio, reported_ms, reported_ratio))
    table.notes.append(
        "Reported times are the authors', printed for 224 → 384. HIRI-ViT's second is set beside 384, as printed, and "
        "beside 448, where the five stages meet the cost that it prints with it."
    )
    table.notes.append(_how(RUNS_OF_FIGURE1) + " Only ratios carry over to other machines.")
    return table


def time_norms(reported: Norms) -> Table:
    """Inference time with the calibrated norms, and with layer norms everywhere."""
    spec = hiri_spec.load(reported.spec)
    size = reported.resolution
    times = measure_latencies_ms([(spec, size), (with_layer_norms(spec), size)], runs=RUNS_OF_NORMS)
    mixed, layered = [round(time, 1) for time in times]
    columns = ("network", "ms an image", "faster by", "reported")
    table = Table("norms", reported.title, columns, "norms --latency")
    faster = f"{100 * (layered / mixed - 1):.1f} %"
    table.rows.append((f"{spec.name} at {size}, as it is", f"{mixed:.1f}", faster, f"{reported.faster_percent:.1f} %"))
    table.rows.append(("layer norms everywhere", f"{layered:.1f}", "", ""))
    table.notes.append(f"The reported figure is the authors', on their hardware. {_how(RUNS_OF_NORMS)}")
    return table


def _how(runs: int) -> str:
    return f"Measured by us on {describe_machine()}: batch 1, float32, medians of {runs} in turn."


def with_layer_norms(spec: ModelSpec) -> ModelSpec:
    """The same network with every norm a layer norm."""
    stages = []
    for stage in spec.stages:
        runs = []
        for run in stage:
            changes: dict[str, Any] = {key: "layer" for key in ("norm", "mlp_norm") if key in type(run).model_fields}
            if run.downsample is not None:
                changes["downsample"] = run.downsample.model_copy(update={"norm": "layer"})
            runs.append(run.model_copy(update=changes))
        stages.append(tuple(runs))
    stem, head = (part.model_copy(update={"norm": "layer"}) for part in (spec.stem, spec.head))
    return spec.model_copy(
        update={"stages": tuple(stages), "stem": stem, "head": head, "name": f"{spec.name}_layer_norms"}
    )
