"""The backbone of a detector: a network of a spec or of timm's without its head, giving the maps of some strides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import timm
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import Problem, SpecError
from ..nn.compile import build
from ..schema import ModelSpec
from .task import Norms, Task, choose_strides


class Maps(nn.Module):
    """Images (B, C, H, W) → a tuple of maps (B, channels[i], H / strides[i], W / strides[i]), sides rounded up.

    `left_out` are the strides of those stages of the network that come after the last of these, and were dropped.
    """

    def __init__(
        self,
        network: nn.Module,
        channels: Sequence[int],
        strides: Sequence[int],
        *,
        norms: Norms,
        left_out: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.channels, self.strides, self.left_out = tuple(channels), tuple(strides), tuple(left_out)
        self.norms = norms
        if norms == "synchronised":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        self.network = network
        if norms == "frozen":
            for norm in self._batch_norms():
                norm.requires_grad_(requires_grad=False)

    def _batch_norms(self) -> list[nn.Module]:
        return [module for module in self.network.modules() if isinstance(module, _BatchNorm)]

    def train(self, mode: bool = True) -> Maps:
        """Set the mode of all but frozen norms, which go on normalising by their running statistics."""
        super().train(mode)
        if self.norms == "frozen":
            for norm in self._batch_norms():
                norm.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(x))


def make_maps(origin: ModelSpec | str, task: Task, *, drop_path_rate: float | None = None) -> Maps:
    """The maps that feed a task's neck, of a spec or of one of timm's models by name, with fresh weights.

    Stages that feed nothing are dropped, so that every parameter gets a gradient. Raises SpecError where the network
    has no such maps.
    """
    if isinstance(origin, str):
        return _timm_maps(origin, task, drop_path_rate)
    whole: Any = build(origin, features_only=True, drop_path_rate=drop_path_rate)
    available = [info["reduction"] for info in whole.stage_info]
    strides = choose_strides(task, available, origin.name)
    indices = [available.index(stride) for stride in strides]
    network = build(origin, features_only=True, drop_path_rate=drop_path_rate, out_indices=indices)
    network.prune_intermediate_layers(indices, prune_head=False)  # it has none
    channels = [whole.stage_info[index]["num_chs"] for index in indices]
    left_out = [] if whole.has_streams else available[indices[-1] + 1 :]
    return Maps(network, channels, strides, norms=task.norms, left_out=left_out)


def _timm_maps(name: str, task: Task, drop_path_rate: float | None) -> Maps:
    options: dict[str, Any] = {} if drop_path_rate is None else {"drop_path_rate": drop_path_rate}
    try:
        whole: Any = timm.create_model(name, features_only=True)
        available = whole.feature_info.reduction()
        strides = choose_strides(task, available, name)
        indices = tuple(available.index(stride) for stride in strides)
        network: Any = timm.create_model(name, features_only=True, out_indices=indices, **options)
    except SpecError:
        raise
    except (TypeError, RuntimeError, AttributeError, ValueError) as error:
        raise SpecError(Problem(f"timm's {name} gives no maps: {error}; use another network", "network")) from error
    left_out = available[indices[-1] + 1 :]
    return Maps(network, network.feature_info.channels(), strides, norms=task.norms, left_out=left_out)
