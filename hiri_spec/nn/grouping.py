"""Which parameters belong together: layers for layer-wise rates, and those that no weight decay is meant for."""

from __future__ import annotations

from typing import Any

from torch import nn

from ..network import run_names
from ..schema import ModelSpec
from .attention import WindowAttention

WITH_THE_GROUP_BEFORE = (99999,)
"""timm's sign for it, `MATCH_PREV_GROUP`."""


def group_layers(spec: ModelSpec, *, coarse: bool) -> dict[str, Any]:
    """timm's matcher: stem, then each stage if `coarse`, each block otherwise, then the head, which nothing matches.

    A stage's downsampling goes with its first block, a run of nothing but norms with the block before it.
    """
    if coarse:
        return {"stem": r"^stem", "stages": r"^stages\.(\d+)"}
    groups: dict[str, Any] = {"stem": r"^stem"}
    for index, stage in enumerate(spec.stages):
        for run, name in zip(stage, run_names(stage), strict=True):
            block = getattr(run, run.key)
            patterns = [(rf"^stages\.{index}\.{name}\.(\d+)", WITH_THE_GROUP_BEFORE if block == "norm" else None)]
            if run.downsample is not None:
                patterns.append((rf"^stages\.{index}\.downsample", (0,)))
            groups[f"stages.{index}.{name}"] = patterns
    return groups


def find_undecayed(model: nn.Module) -> set[str]:
    """Names of the parameters, other than vectors, to keep from weight decay: tables of relative positions."""
    return {
        f"{name}.bias"
        for name, module in model.named_modules()
        if isinstance(module, WindowAttention) and module.bias is not None
    }
