"""The built network: stem, stages, head, with the methods that users of timm expect."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, cast

from timm.models import FeatureInfo, register_notrace_module
from torch import Tensor, nn

from ..blocks.classifier import Classifier
from ..errors import Problem, SpecError, show
from ..graph import Shapes, streams_of
from ..network import Resolution, read_resolution, segments, trace_part
from ..schema import ModelSpec
from .attention import WindowAttention
from .grouping import find_undecayed, group_layers
from .head import change_classes, change_pooling
from .norm import LayerNorm
from .pretrained_cfg import describe
from .realise import Rates
from .recompute import run_checkpointed
from .resampling import Roll
from .wired import Wired, wire_module

REFERENCE_SIDE = 8192
"""A side that every stride divides, to read strides off shapes."""

for data_dependent in (WindowAttention, Roll, LayerNorm):
    register_notrace_module(data_dependent)  # torch.fx can't follow a choice that depends on a shape


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
                x = run_checkpointed(child, x)
            else:
                x = child(x)
        return x


class Backbone(nn.Module):
    """A network compiled from a spec, (B, C, H, W) → (B, classes), or → the maps of `out_indices` if `features_only`.

    `feature_info` tells each stage's channels (`num_chs`), stride (`reduction`) and module, as timm does, and
    `pretrained_cfg` the images that the model is meant for.
    """

    def __init__(
        self, spec: ModelSpec, stem: Wired, stages: Sequence[Stage], head: Wired, features: Sequence[int] | None
    ) -> None:
        super().__init__()
        self.spec = spec
        self.stem = stem
        self.stages = nn.Sequential(*stages)
        self.num_features = self.head_hidden_size = cast(nn.Linear, head.fc).in_features
        self.num_classes = spec.head.classes
        self.in_chans = spec.in_channels
        self.global_pool = "avg"
        self.pretrained_cfg = self.default_cfg = describe(spec).to_dict()
        info = read_feature_info(spec)
        self.stage_info = info
        self.has_streams = info[0]["module"] == info[-1]["module"] and len(info) > 1
        self.out_indices = None if features is None else take_indices(len(info), features)
        self.feature_info: Any = info
        if self.out_indices is None:
            self.head = head
        else:
            self.feature_info = FeatureInfo(info, tuple(self.out_indices))
            self.num_classes, self.global_pool = 0, ""
            del self.pretrained_cfg["num_classes"], self.pretrained_cfg["classifier"]

    def forward(self, x: Tensor) -> Any:
        if self.out_indices is not None:
            return self.forward_intermediates(x, self.out_indices, stop_early=True, intermediates_only=True)
        x = self.forward_features(x)
        return self.forward_head(x) if "head" in self._modules else x

    def forward_features(self, x: Tensor) -> Any:
        """Image → the last stage's map, before the head's norm; of several streams (HRNet), the map that is pooled.

        Without a head several streams come as a tuple.
        """
        x = self.stages(self.stem(x))
        return self._joined(x) if self.has_streams else x

    def _joined(self, streams: Any) -> Any:
        return self.head.run(streams, before="pool") if "head" in self._modules else streams

    def forward_head(self, x: Any, pre_logits: bool = False) -> Tensor:
        """What `forward_features` gives → class scores, or what the classifier is given if `pre_logits`."""
        out: Tensor = self._whole_head().run(
            (x,), start="pool" if self.has_streams else None, before="fc" if pre_logits else None
        )
        return out

    def _whole_head(self) -> Wired:
        if "head" not in self._modules:
            raise SpecError("this model has no head: it was built with features_only, or pruned")
        return self.head

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> Any:
        """Maps of some stages (an int: the last so many; default: all), and what `forward_features` gives.

        A network of several streams (HRNet) gives those of its last stage, whatever is asked of its earlier ones.
        `norm` applies the head's norm to the last stage's map; `stop_early` skips the stages after the last one asked
        for; `output_fmt` is "NCHW" or "NHWC"; `intermediates_only` gives the maps alone. Raises SpecError for indices
        that are not there.
        """
        if output_fmt not in ("NCHW", "NHWC"):
            raise SpecError(Problem(f"{output_fmt!r} is no layout; use NCHW or NHWC", "output_fmt"))
        taken = take_indices(len(self.stage_info), indices, "indices")
        maps = []
        x = self.stem(x)
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in taken and not self.has_streams:
                is_normed = norm and index == len(self.stages) - 1 and "head" in self._modules
                maps.append(self._norm(x) if is_normed else x)
            if stop_early and index == max(taken) and not self.has_streams:
                break
        if self.has_streams:
            maps = [x[index] for index in taken]
            x = x if intermediates_only else self._joined(x)
        if output_fmt == "NHWC":
            maps = [each.permute(0, 2, 3, 1) for each in maps]
        return maps if intermediates_only else (x, maps)

    def _norm(self, x: Tensor) -> Tensor:
        """The head's norm, where it has one that maps go through."""
        names = [name for name, _ in self.head.named_children()]
        return self.head.get_submodule("norm")(x) if names[0] == "norm" else x

    def prune_intermediate_layers(
        self, indices: int | Sequence[int] = 1, prune_norm: bool = False, prune_head: bool = True
    ) -> list[int]:
        """Drop the stages after the last of `indices`, and the head but for its norm; `prune_norm` drops that too.

        Returns the indices, counted from the first. `forward` gives the last map then; `reset_classifier` puts a new
        head behind it. No head, nor norm, stays where the last stage goes; without its head a network of several
        streams gives those. Raises SpecError for indices that are not there.
        """
        taken = take_indices(len(self.stage_info), indices, "indices")
        kept = len(self.stages) if self.has_streams else taken[-1] + 1
        if kept < len(self.stages):
            self.stages = self.stages[:kept]
            self.stage_info = self.stage_info[:kept]
            self.num_features = self.head_hidden_size = self.stage_info[-1]["num_chs"]
            self.spec = self.spec.model_copy(update={"stages": self.spec.stages[:kept]})
            self._drop_head()
            if self.out_indices is not None:
                self.out_indices = [index for index in self.out_indices if index < kept] or taken
                self.feature_info = FeatureInfo(self.stage_info, tuple(self.out_indices))
        elif prune_head and (prune_norm or self.has_streams):
            self._drop_head()
        elif prune_head:
            self.reset_classifier(0, "")
        elif prune_norm and hasattr(self.head, "norm"):
            self.head.norm = nn.Identity()
        return taken

    def _drop_head(self) -> None:
        self._modules.pop("head", None)
        self.num_classes, self.global_pool = 0, ""

    def get_classifier(self) -> nn.Module:
        """The last linear layer."""
        return self._whole_head().get_submodule("fc")

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Put in a fresh linear layer for other classes; 0 leaves the pooled features.

        `global_pool` is "avg", "max" or, for maps instead of vectors, "". Raises SpecError for others, and where there
        is no head but in a pruned model of one stream: that gets a new one, of a pooling and a linear layer.
        """
        if type(num_classes) is not int or num_classes < 0:
            message = f"{show(num_classes)} is no number of classes; use a whole one, 0 for none"
            raise SpecError(Problem(message, "num_classes"))
        part, like = self.spec.head, next(self.parameters())
        if "head" in self._modules or self.out_indices is not None or self.has_streams:
            head = self._whole_head()
        elif num_classes:
            part = Classifier(classes=num_classes, norm="none")
            head = wire_module(trace_part(part, (self.num_features, 1, 1)), type(part).__name__, Rates())
            global_pool = "avg" if global_pool is None else global_pool
        else:
            return
        if global_pool is not None:
            change_pooling(head, global_pool)
            self.global_pool = global_pool
        change_classes(head, self.num_features, num_classes, is_pooled=bool(self.global_pool), like=like)
        self.head = head.train(self.training)
        self.num_classes = num_classes
        if num_classes:
            self.spec = self.spec.model_copy(update={"head": part.model_copy(update={"classes": num_classes})})

    def set_input_size(self, img_size: Resolution) -> None:
        """Say for which image size, a side or (height, width), the model is meant; any other still goes through."""
        if img_size is None:
            raise SpecError(Problem("None is no image size; give a side in pixels, or (height, width)", "img_size"))
        height, width = read_resolution(self.spec, img_size)
        self.spec = self.spec.model_copy(update={"resolution": height if height == width else (height, width)})
        channels = self.pretrained_cfg["input_size"][0]
        pool_size = describe(self.spec).pool_size
        self.pretrained_cfg.update(input_size=(channels, height, width), pool_size=pool_size)
        self._traits = {**getattr(self, "_traits", {}), "img_size": (height, width)}  # where timm looks for it

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Patterns of parameter names, for layer-wise rates: `timm.models.group_parameters` reads them."""
        return group_layers(self.spec, coarse=coarse)

    def no_weight_decay(self) -> set[str]:
        """Names of the parameters that weight decay is not meant for, besides norms and biases."""
        return find_undecayed(self)

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


def take_indices(count: int, indices: int | Sequence[int] | None, argument: str = "out_indices") -> list[int]:
    """Stage indices in order: all, the last so many, or the given ones (negative ones from the end)."""
    if indices is None:
        return list(range(count))
    asked: list[Any] = list(indices) if isinstance(indices, Iterable) else []
    if type(indices) is int and 0 < indices <= count:
        asked = list(range(count - indices, count))
    if not asked or any(type(index) is not int or not -count <= index < count for index in asked):
        message = f"{show(indices)} does not fit {count} stages; they are 0 to {count - 1}"
        raise SpecError(Problem(message, argument))
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
