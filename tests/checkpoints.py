"""A small network with a stage of several runs, and safetensors files tampered with, for tests of checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import hiri_spec
from hiri_spec.files import SpecLike

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
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                start = 1.0 if name.endswith(("running_var", "norm.weight")) else 0.0
                tensor.copy_(torch.randn(tensor.shape, generator=generator).mul_(0.1).clamp_(-0.5, 0.5) + start)
            else:
                tensor.fill_(seed + 7)
    return model


def built(spec: SpecLike = SMALL, seed: int = 0, **options: Any) -> nn.Module:
    """A network with values of its own, the small one by default; another seed gives others."""
    return randomise(hiri_spec.build(spec, **options), seed).eval()


def image(model: nn.Module) -> Tensor:
    """Two images that a model takes."""
    return torch.randn(2, model.spec.in_channels, 48, 64, generator=torch.Generator().manual_seed(1))


def assert_same(one: nn.Module, other: nn.Module) -> None:
    """Equal specs, tensors and outputs, to the bit."""
    assert one.spec == other.spec
    assert one.out_indices == other.out_indices
    assert one.num_classes == other.num_classes
    theirs = other.state_dict()
    assert one.state_dict().keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in one.state_dict().items())
    with torch.no_grad():
        outputs = [out if isinstance(out, list) else [out] for out in (one(image(one)), other(image(one)))]
        assert all(torch.isfinite(out).all() for out in outputs[0])
    assert all(torch.equal(a, b) for a, b in zip(*outputs, strict=True))


def edit_header(file: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change the header of a safetensors file in place."""
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    edit(header)
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
