"""The built network: stem, stages, head, with the methods that users of timm expect."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, cast

from timm.models import FeatureInfo, checkpoint_seq
from torch import Tensor, nn

from ..errors import Problem, SpecError
from ..graph import Shapes, streams_of
from ..network import segments, trace_part
from ..schema import ModelSpec
from .initialise import initialise_linear
from .wired import Wired

REFERENCE_SIDE = 8192
"""A side that every stride divides, to read strides off shapes."""


class Stage(nn.Module):
    """One stage: a downsampling if it has one, then its runs of blocks, each under its name."""

    def __init__(self, downsample: Wired | None, runs: dict[str, nn.Sequential]) -> None:
        super().__init__()
        if downsample is not None:
            self.downsample = downsample
        for name, run in runs.items():
            self.add_module(name, run)
        self.grad_checkpointing = False

    def forward(self, x: Tensor) -> Tensor:
        for child in self.children():
            if self.grad_checkpointing and self.training and isinstance(child, nn.Sequential):
                x = checkpoint_seq(child, x, use_reentrant=False)
            else:
                x = child(x)
        return x


class Backbone(nn.Module):
    """A network compiled from a spec, (B, C, H, W) → (B, classes), or → the maps of `out_indices` if `features_only`.

    `feature_info` tells each stage's channels (`num_chs`), stride (`reduction`) and module, as timm does.
    """

    def __init__(
        self, spec: ModelSpec, stem: Wired, stages: Sequence[Stage], head: Wired, features: Sequence[int] | None
    ) -> None:
        super().__init__()
        self.spec = spec
        self.stem = stem
        self.stages = nn.ModuleList(stages)
        self.num_features = self.head_hidden_size = cast(nn.Linear, head.fc).in_features
        self.num_classes = spec.head.classes
        info = read_feature_info(spec)
        self.stage_info = info
        self.has_streams = info[0]["module"] == info[-1]["module"] and len(info) > 1
        self.out_indices = None if features is None else take_indices(len(info), features)
        self.feature_info: Any = info
        if self.out_indices is None:
            self.head = head
        else:
            self.feature_info = FeatureInfo(info, tuple(self.out_indices))
            self.num_classes = 0

    def forward(self, x: Tensor) -> Any:
        if self.out_indices is not None:
            return self.forward_intermediates(x, self.out_indices, stop_early=True, intermediates_only=True)
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> Any:
        """Image → the last stage's map, before the head's norm; its streams if it has several (HRNet)."""
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return x

    def forward_head(self, x: Any, pre_logits: bool = False) -> Tensor:
        """The last stage's map (or streams) → class scores, or the pooled features if `pre_logits`."""
        if self.out_indices is not None:
            raise SpecError("a model built with features_only has no head; build it without")
        out: Tensor = self.head.run(x if isinstance(x, tuple) else (x,), before="fc" if pre_logits else None)
        return out

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> Any:
        """Maps of some stages (an int: the last so many; default: all), and the last map unless told otherwise.

        A network of several streams (HRNet) gives those of its last stage, whatever is asked of its earlier ones.
        `norm` applies the head's norm to the last stage's map; `stop_early` skips the stages after the last one asked
        for; `output_fmt` is "NCHW" or "NHWC". Raises SpecError for indices that are not there.
        """
        if output_fmt not in ("NCHW", "NHWC"):
            raise SpecError(Problem(f"{output_fmt!r} is no layout; use NCHW or NHWC", "output_fmt"))
        taken = take_indices(len(self.stage_info), indices)
        maps = []
        x = self.stem(x)
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in taken and not self.has_streams:
                is_normed = norm and index == len(self.stages) - 1 and hasattr(self, "head")
                maps.append(self._norm(x) if is_normed else x)
            if stop_early and index == max(taken) and not self.has_streams:
                break
        if self.has_streams:
            maps = [x[index] for index in taken]
        if output_fmt == "NHWC":
            maps = [each.permute(0, 2, 3, 1) for each in maps]
        return maps if intermediates_only else (x, maps)

    def _norm(self, x: Tensor) -> Tensor:
        """The head's norm, where it has one that maps go through."""
        names = [name for name, _ in self.head.named_children()]
        return self.head.get_submodule("norm")(x) if names[0] == "norm" else x

    def get_classifier(self) -> nn.Module:
        """The last linear layer."""
        return self.head.get_submodule("fc")

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh linear layer for other classes; 0 leaves the pooled features."""
        if self.out_indices is not None:
            raise SpecError("a model built with features_only has no head; build it without")
        if num_classes < 0:
            raise SpecError(Problem(f"{num_classes} is negative; use 0 for none", "num_classes"))
        like = next(self.parameters())
        self.num_classes = num_classes
        if num_classes == 0:
            self.head.fc = nn.Identity()
            return
        self.head.fc = nn.Linear(self.num_features, num_classes, device=like.device, dtype=like.dtype)
        initialise_linear(self.head.fc)
        self.spec = self.spec.model_copy(update={"head": self.spec.head.model_copy(update={"classes": num_classes})})

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Trade time for memory: keep each block's input only and compute the rest again in the backward pass."""
        for stage in self.stages:
            cast(Stage, stage).grad_checkpointing = enable

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write weights and spec into a folder, for `hiri_spec.from_pretrained`; raises SpecError if that can't be."""
        from .checkpoint import save_pretrained

        save_pretrained(self, folder)

    def push_to_hub(self, repository: str, *, private: bool | None = None) -> str:
        """Put weights and spec into a hub repository (owner/name); returns the commit's URL."""
        from .hub import push_to_hub

        return push_to_hub(self, repository, private=private)


def take_indices(count: int, indices: int | Sequence[int] | None) -> list[int]:
    """Stage indices in order: all, the last so many, or the given ones (negative ones from the end)."""
    if indices is None:
        return list(range(count))
    if isinstance(indices, int):
        asked = list(range(count - indices, count)) if 0 < indices <= count else []
    else:
        asked = list(indices)
    if not asked or any(not -count <= index < count for index in asked):
        raise SpecError(Problem(f"{indices!r} does not fit {count} stages; they are 0 to {count - 1}", "out_indices"))
    return sorted({index % count for index in asked})


def read_feature_info(spec: ModelSpec) -> list[dict[str, Any]]:
    """timm's feature_info: channels, stride and module of each stage, or of each stream of the last one."""
    shapes: Shapes = (spec.in_channels, REFERENCE_SIDE, REFERENCE_SIDE)
    info: dict[int, list[dict[str, Any]]] = {}
    for segment in segments(spec):
        shapes = trace_part(segment.part, shapes, segment.channels).output_shape
        if segment.stage is not None:
            module = f"stages.{segment.stage}"
            info[segment.stage] = [
                {"num_chs": channels, "reduction": REFERENCE_SIDE // height, "module": module}
                for channels, height, _ in streams_of(shapes)
            ]
    last = info[len(info) - 1]
    return last if len(last) > 1 else [stage[0] for stage in info.values()]
