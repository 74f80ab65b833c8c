"""The backbone of a detector: a network of a spec or of timm's without its head, giving the maps of some strides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import Problem, SpecError
from ..nn.backbone import read_feature_info
from ..nn.compile import build
from ..schema import ModelSpec
from .task import Norms, Task, choose_strides

PROBE = (256, 320)
"""Height and width of the image that networks are tried with."""


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

    Stages that feed nothing are dropped, and what else feeds nothing, such as the way to a stream of HRNet's that
    nobody reads, doesn't learn: so every parameter that does gets a gradient. Raises SpecError where the network has
    no such maps.
    """
    if isinstance(origin, str):
        return _timm_maps(origin, task, drop_path_rate)
    if origin.in_channels != 3:
        message = f"{origin.in_channels} is not 3, and detection and segmentation read colour images; set it to 3"
        raise SpecError(Problem(message, "in_channels", code="channels"))
    stages = read_feature_info(origin)
    available = [info["reduction"] for info in stages]
    strides = choose_strides(task, available, origin.name)
    indices = [last_of(available, stride) for stride in strides]
    network = build(origin, features_only=True, drop_path_rate=drop_path_rate, out_indices=indices)
    if network.has_streams:
        with torch.device("meta"):
            _freeze_unread(network, build(origin, features_only=True, out_indices=indices))
    network.prune_intermediate_layers(indices, prune_head=False)  # it has none
    channels = [stages[index]["num_chs"] for index in indices]
    left_out = [] if network.has_streams else available[indices[-1] + 1 :]
    return Maps(network, channels, strides, norms=task.norms, left_out=left_out)


def last_of(available: Sequence[int], stride: int) -> int:
    """The place of the last map of a stride: of several, the one that most of the network has seen to."""
    return max(index for index, each in enumerate(available) if each == stride)


def _freeze_unread(network: nn.Module, twin: nn.Module) -> None:
    """Have parameters learn nothing that feed no map: processes that share gradients would wait for theirs.

    `twin` is the same network on the meta device, where finding out costs nothing.
    """
    with torch.enable_grad():
        maps = twin.eval()(torch.empty(1, 3, *PROBE, device="meta"))
        torch.stack([each.sum() for each in maps]).sum().backward()
    unread = {name for name, parameter in twin.named_parameters() if parameter.grad is None}
    for name, parameter in network.named_parameters():
        if name in unread:
            parameter.requires_grad = False


def _timm_maps(name: str, task: Task, drop_path_rate: float | None) -> Maps:
    options: dict[str, Any] = {} if drop_path_rate is None else {"drop_path_rate": drop_path_rate}
    try:
        with torch.device("meta"):
            whole: Any = timm.create_model(name, features_only=True)
        available = whole.feature_info.reduction()
        strides = choose_strides(task, available, name)
        _check_maps(name, whole)
        indices = tuple(last_of(available, stride) for stride in strides)
        network: Any = timm.create_model(name, features_only=True, out_indices=indices, **options)
        with torch.device("meta"):
            _freeze_unread(network, timm.create_model(name, features_only=True, out_indices=indices))
    except SpecError:
        raise
    except (TypeError, RuntimeError, AttributeError, ValueError) as error:
        raise SpecError(Problem(f"timm's {name} gives no maps: {error}; use another network", "network")) from error
    left_out = available[indices[-1] + 1 :]
    return Maps(network, network.feature_info.channels(), strides, norms=task.norms, left_out=left_out)


def _check_maps(name: str, network: Any) -> None:
    """Raise SpecError for a model of timm's, on the meta device, that takes one image size alone, or gives NHWC."""
    height, width = PROBE
    advice = "use another network, such as a spec of its family (hiri-spec list)"
    try:
        with torch.no_grad():
            found = [tuple(each.shape[1:]) for each in network.eval()(torch.empty(1, 3, height, width, device="meta"))]
    except Exception as error:  # whatever a model of timm's stumbles over
        message = f"timm's {name} doesn't take images of any size: {error}; {advice}"
        raise SpecError(Problem(message, "network", code="size")) from error
    info = network.feature_info
    for shape, channels, stride in zip(found, info.channels(), info.reduction(), strict=True):
        if shape != (channels, height // stride, width // stride):
            message = (
                f"timm's {name} gives a map of {shape} where {channels} channels at stride {stride} are said; {advice}"
            )
            raise SpecError(Problem(message, "network", code="layout"))
