"""Images of different sizes as one batch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import hiri_spec
from hiri_spec.tasks.padding import join


def test_sizes_and_pixels() -> None:
    images = [torch.rand(3, 40, 33), torch.rand(3, 17, 70)]
    batch = join(images, 32)
    assert (batch.size, batch.sizes) == ((64, 96), [(40, 33), (17, 70)])
    black = join([torch.zeros(3, 64, 96)], 32).pixels[0]
    for image, pixels, (height, width) in zip(images, batch.pixels, batch.sizes, strict=True):
        torch.testing.assert_close(pixels[:, :height, :width], join([image], 1).pixels[0])
        assert torch.equal(pixels[:, height:], black[:, height:])
        assert torch.equal(pixels[:, :, width:], black[:, :, width:])


def gradient_norm(model: nn.Module, pixels: Tensor) -> float:
    model.zero_grad()
    generator = torch.Generator().manual_seed(1)
    loss = sum((each * torch.randn(each.shape, generator=generator)).mean() for each in model(pixels))
    loss.backward()
    return float(torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm())


@pytest.mark.parametrize("name", ["pvt_v2_b0", "swin_tiny_patch4_window7_224", "tiny", "hiri_s_4stage"])
def test_padding_leaves_gradients_their_size(name: str) -> None:
    """Zeros after normalising, as is the custom, make those of PVTv2 and Swin millions of times as long."""
    torch.manual_seed(0)
    model = hiri_spec.build(name, features_only=True).train()
    images = [torch.rand(3, 96, 112) for _ in range(2)]
    whole = gradient_norm(model, join(images, 16).pixels)
    padded = gradient_norm(model, join([*images, torch.rand(3, 160, 160)], 16).pixels[:2])
    assert 0.2 < padded / whole < 5
    zeros = gradient_norm(model, functional.pad(join(images, 16).pixels, (0, 48, 0, 64)))
    assert (zeros / whole > 1e4) == (name in ("pvt_v2_b0", "swin_tiny_patch4_window7_224"))
