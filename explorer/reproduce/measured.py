"""What needs a clock: latency over resolution, and the speed of the norms."""

from __future__ import annotations

from typing import Any

import hiri_spec
from hiri_spec import ModelSpec

from ..latency import measure_latencies_ms
from .counted import Table


def time_figure1(reported: dict[str, Any]) -> Table:
    """Milliseconds and ratios of the rows of figure 1."""
    rows = reported["rows"]
    times = measure_latencies_ms([(hiri_spec.load(row["spec"]), row["resolution"]) for row in rows], runs=5)
    table = Table("figure1_latency", f"{reported['title']}, in time", ("row", "ms an image", "of the first row"))
    for row, own in zip(rows, times, strict=True):
        table.rows.append((row["label"], f"{own:.1f}", f"{own / times[0]:.2f} x"))
    table.notes.append(
        "Measured by us on this machine: batch 1, float32, medians of 5 in turn. Only ratios carry over."
    )
    return table


def time_norms(reported: dict[str, Any]) -> Table:
    """Inference time with the calibrated norms, and with layer norms everywhere."""
    spec = hiri_spec.load(reported["spec"])
    size = reported["resolution"]
    mixed, layered = measure_latencies_ms([(spec, size), (with_layer_norms(spec), size)], runs=15)
    table = Table("norms", reported["title"], ("network", "ms an image", "faster than layer norms everywhere"))
    table.rows.append((f"{spec.name}, as it is", f"{mixed:.1f}", f"{100 * (layered / mixed - 1):.1f} %"))
    table.rows.append(("layer norms everywhere", f"{layered:.1f}", ""))
    table.notes.append(
        f"Reported: {reported['reported']}. Measured by us on this machine: batch 1, float32, medians of 15 in turn."
    )
    return table


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
