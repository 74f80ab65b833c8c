"""What padding does to gradients at random weights: `python -m benchmarks.padding [SPEC…]`, docs/dense.md's table.

Two images of 160x176 pixels in a batch of 256x256; the loss is a random projection of all maps.
"""

from __future__ import annotations

import sys

import torch
from torch.nn import functional

import hiri_spec
from hiri_spec.tasks.padding import join

SPECS = ("tiny", "hiri_s", "hiri_s_4stage", "pvt_v2_b2", "swin_tiny_patch4_window7_224", "davit_tiny")
HEIGHT, WIDTH, SIDE = 160, 176, 256


def gradient_length(name: str, padding: str) -> float:
    """Of all parameters together."""
    torch.manual_seed(0)
    model = hiri_spec.build(name, features_only=True).train()
    images = list(torch.rand(2, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1)))
    larger = [torch.zeros(3, SIDE, SIDE)] if padding == "black" else []
    pixels = join([*images, *larger], 1).pixels[:2]
    if padding == "zeros":
        pixels = functional.pad(pixels, (0, SIDE - WIDTH, 0, SIDE - HEIGHT))
    torch.manual_seed(2)
    loss = sum((each * torch.randn_like(each)).mean() * each.shape[1] ** 0.5 for each in model(pixels))
    loss.backward()
    lengths = [parameter.grad.norm() for parameter in model.parameters() if parameter.grad is not None]
    return float(torch.stack(lengths).norm())


def main() -> None:
    """One row a spec."""
    print("| backbone | not padded | zeros | black |\n|---|---|---|---|")
    for name in sys.argv[1:] or SPECS:
        cells = [f"{gradient_length(name, padding):,.3g}" for padding in ("none", "zeros", "black")]
        print(f"| `{name}` | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
