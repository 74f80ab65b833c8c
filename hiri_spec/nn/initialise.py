"""How weights start: truncated normal 0.02 for linear and pointwise layers, fan-out normal for convolutions (PVT).

Depthwise convolutions start smaller than in PVT, at a quarter of their input's variance: an HR block adds one to its
residual without a norm between, and by PVT's rule thirty of them in a row would start at values of 1e5.
"""

from __future__ import annotations

from timm.layers import trunc_normal_
from torch import nn


def initialise(module: nn.Module) -> None:
    """Initialise one module; for `nn.Module.apply`. Norms keep torch's ones and zeros."""
    if isinstance(module, nn.Linear):
        initialise_linear(module)
    elif isinstance(module, nn.Conv2d):
        if module.kernel_size == (1, 1):
            trunc_normal_(module.weight, std=0.02)
        elif module.groups == module.in_channels > 1:
            nn.init.normal_(module.weight, 0, 0.5 / module.kernel_size[0])
        else:
            fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels // module.groups
            nn.init.normal_(module.weight, 0, (2 / fan_out) ** 0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def initialise_linear(module: nn.Linear) -> None:
    """Initialise a linear layer."""
    trunc_normal_(module.weight, std=0.02)
    if module.bias is not None:
        nn.init.zeros_(module.bias)
