"""What may change in the head of a built model: how it pools, and into how many classes."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import Problem, SpecError, show
from .initialise import initialise_linear
from .resampling import GlobalPool
from .wired import Wired


class MapLinear(nn.Linear):
    """A linear layer at each position, (B, C, H, W) → (B, classes, H, W): what classifies without pooling.

    Its weight is shaped like that of the layer behind a pooling, so that one takes the other's.
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight[:, :, None, None], self.bias)


def change_pooling(head: Wired, pooling: str) -> None:
    """Pool by "avg", "max" or, with "", not at all. Raises SpecError for others and where the head has no pooling."""
    if pooling not in ("avg", "max", ""):
        message = f"{show(pooling)} is no pooling; use 'avg', 'max', or '' for none, to get maps"
        raise SpecError(Problem(message, "global_pool"))
    if not hasattr(head, "pool"):
        raise SpecError(Problem(f"the head, {head.title}, has no pooling to change", "global_pool"))
    head.pool = GlobalPool(pooling) if pooling else nn.Identity()


def change_classes(head: Wired, features: int, classes: int, *, is_pooled: bool, like: Tensor) -> None:
    """Put in a fresh classifier of `features` channels, on the device and in the type of `like`; for 0, none."""
    if classes:
        kind = nn.Linear if is_pooled else MapLinear
        head.fc = kind(features, classes, device=like.device, dtype=like.dtype)
        initialise_linear(head.fc)
    else:
        head.fc = nn.Identity()
