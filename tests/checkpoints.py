"""A small network with a stage of several runs, and safetensors files tampered with, for tests of checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

SMALL: dict[str, Any] = {
    "name": "small",
    "resolution": 64,
    "stem": {"stem": "hr", "width": 8},
    "stages": [
        {"block": "hr", "depth": 2, "width": 16},
        [
            {"block": "cffn", "depth": 2, "width": 24, "downsample": "irds_a", "layer_scale": 1e-2},
            {"block": "transformer", "depth": 2, "width": 24, "heads": 3, "name": "late"},
        ],
        {"block": "swin", "depth": 1, "width": 32, "heads": 4, "window": 2, "downsample": "irds_b"},
    ],
    "head": {"classes": 10},
}


def randomise(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every parameter and statistic a value of its own, so that none can be left out unseen."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
            else:
                tensor.fill_(seed + 7)
    return model


def edit_header(file: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change the header of a safetensors file in place."""
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    edit(header)
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
