"""Key maps, one a family: our tensor's name → timm's name, and what of timm's tensor it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Take = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Rule:
    """Our names that match `ours` whole are timm's `theirs` (groups by number, or a function), changed by `take`."""

    ours: str
    theirs: str | Callable[[re.Match[str]], str]
    take: Take | None = None

    def apply(self, name: str) -> str | None:
        """timm's name of one of our tensors, or None where the rule is about others."""
        match = re.fullmatch(self.ours, name)
        if match is None:
            return None
        return self.theirs(match) if callable(self.theirs) else match.expand(self.theirs)


def chunk(index: int, count: int) -> Take:
    """One of several tensors that timm keeps in one, along the first dimension; IndexError if it has no such part."""
    return lambda tensor: tensor.chunk(count, 0)[index]


def unmerge(tensor: Tensor) -> Tensor:
    """The channels of Swin's patch merging, (across, down, channel) there, as (channel, down, across)."""
    last = tensor.ndim - 1
    quarter = tensor.shape[last] // 4
    return tensor.unflatten(last, (2, 2, quarter)).movedim(-1, last).transpose(-1, -2).flatten(last)


def attention_rules(ours: str, theirs: str | Callable[[re.Match[str]], str]) -> list[Rule]:
    """An attention branch and a feed-forward branch, timm's with query, key and value in one tensor."""

    def at(place: str) -> Callable[[re.Match[str]], str]:
        return lambda match: match.expand(theirs if isinstance(theirs, str) else theirs(match)) + place + match["end"]

    end = r"\.(?P<end>weight|bias)"
    return [
        Rule(ours + r"\.attention\.norm" + end, at(".norm1.")),
        *[
            Rule(ours + rf"\.attention\.{name}" + end, at(".attn.qkv."), chunk(index, 3))
            for index, name in enumerate(("query", "key", "value"))
        ],
        Rule(ours + r"\.attention\.project" + end, at(".attn.proj.")),
        Rule(ours + r"\.mlp\.norm" + end, at(".norm2.")),
        Rule(ours + r"\.mlp\.expand" + end, at(".mlp.fc1.")),
        Rule(ours + r"\.mlp\.project" + end, at(".mlp.fc2.")),
    ]


PVT_BLOCK = r"stages\.(\d+)\.blocks\.(\d+)"
PVT_V2 = [
    Rule(r"stem\.conv\.(.*)", r"patch_embed.proj.\1"),
    Rule(r"stem\.norm\.(.*)", r"patch_embed.norm.\1"),
    Rule(r"stages\.(\d+)\.downsample\.conv\.(.*)", r"stages.\1.downsample.proj.\2"),
    Rule(r"(stages\.\d+\.downsample\.norm\..*)", r"\1"),
    Rule(r"stages\.(\d+)\.norm\.0\.norm\.(.*)", r"stages.\1.norm.\2"),
    Rule(PVT_BLOCK + r"\.attention\.query\.(.*)", r"stages.\1.blocks.\2.attn.q.\3"),
    Rule(PVT_BLOCK + r"\.attention\.key\.(.*)", r"stages.\1.blocks.\2.attn.kv.\3", chunk(0, 2)),
    Rule(PVT_BLOCK + r"\.attention\.value\.(.*)", r"stages.\1.blocks.\2.attn.kv.\3", chunk(1, 2)),
    Rule(PVT_BLOCK + r"\.attention\.reduce\.(.*)", r"stages.\1.blocks.\2.attn.sr.\3"),
    Rule(PVT_BLOCK + r"\.attention\.reduce_norm\.(.*)", r"stages.\1.blocks.\2.attn.norm.\3"),
    Rule(PVT_BLOCK + r"\.mlp\.mix\.(.*)", r"stages.\1.blocks.\2.mlp.dwconv.\3"),
    *attention_rules(PVT_BLOCK, r"stages.\1.blocks.\2"),
    Rule(r"head\.fc\.(.*)", r"head.\1"),
]


def _swin_layer(match: re.Match[str]) -> str:
    """Each of our blocks is two of timm's layers."""
    return f"layers.{match[1]}.blocks.{2 * int(match[2]) + (match[3] == 'shifted')}"


SWIN_LAYER = r"stages\.(\d+)\.blocks\.(\d+)\.(straight|shifted)"
SWIN = [
    Rule(r"stem\.conv\.(.*)", r"patch_embed.proj.\1"),
    Rule(r"stem\.norm\.(.*)", r"patch_embed.norm.\1"),
    Rule(r"stages\.(\d+)\.downsample\.norm\.(.*)", r"layers.\1.downsample.norm.\2", unmerge),
    Rule(r"stages\.(\d+)\.downsample\.reduce\.weight", r"layers.\1.downsample.reduction.weight", unmerge),
    Rule(SWIN_LAYER + r"\.attention\.attend\.bias", lambda m: _swin_layer(m) + ".attn.relative_position_bias_table"),
    *attention_rules(SWIN_LAYER, _swin_layer),
    Rule(r"head\.norm\.(.*)", r"norm.\1"),
    Rule(r"head\.fc\.(.*)", r"head.fc.\1"),
]


def _davit_layer(match: re.Match[str]) -> str:
    return f"stages.{match[1]}.blocks.{match[2]}.{int(match[3] == 'channel')}"


DAVIT_LAYER = r"stages\.(\d+)\.blocks\.(\d+)\.(spatial|channel)"
DAVIT = [
    Rule(r"((?:stem|head)\..*)", r"\1"),
    Rule(r"(stages\.\d+\.downsample\..*)", r"\1"),
    Rule(DAVIT_LAYER + r"\.position([12])\.(.*)", lambda m: f"{_davit_layer(m)}.cpe{m[4]}.proj.{m[5]}"),
    *attention_rules(DAVIT_LAYER, _davit_layer),
]


def _hrnet_block(match: re.Match[str]) -> str:
    return f"stage{int(match[1]) + 2}.{match[2]}.branches.{match[3]}.{match[4]}.{_resnet(match[5])}"


def _resnet(place: str) -> str:
    """Inside a residual block: norm1 is bn1, and the shortcut's convolution and norm are downsample.0 and .1."""
    place = re.sub(r"norm(\d)", r"bn\1", place)
    return place.replace("shortcut.conv", "downsample.0").replace("shortcut.norm", "downsample.1")


def _hrnet_fuse(match: re.Match[str]) -> str:
    stage, module, target, source = int(match[1]) + 2, match[2], int(match[3]), int(match[4])
    place = f"stage{stage}.{module}.fuse_layers.{target}.{source}."
    is_norm, number = match[5] == "norm", match[6]
    return place + (f"{int(number) - 1}." if number else "") + f"{int(is_norm)}.{match[7]}"


def _hrnet_transition(match: re.Match[str]) -> str:
    """A stream made anew is a sequence of one step there, an old one changed in width is the step itself."""
    stage, stream, is_norm = int(match[1]), match[2], match[3] == "norm"
    step = "0." if int(stream) == stage + 1 else ""
    return f"transition{stage + 1}.{stream}.{step}{int(is_norm)}.{match[4]}"


HRNET = [
    Rule(r"stem\.conv([12])\.(.*)", r"conv\1.\2"),
    Rule(r"stem\.norm([12])\.(.*)", r"bn\1.\2"),
    Rule(r"stem\.block(\d+)\.(.*)", lambda m: f"layer1.{m[1]}.{_resnet(m[2])}"),
    Rule(r"stages\.(\d+)\.downsample\.stream(\d+)\.(conv|norm)\.(.*)", _hrnet_transition),
    Rule(r"stages\.(\d+)\.blocks\.(\d+)\.branch(\d+)\.block(\d+)\.(.*)", _hrnet_block),
    Rule(r"stages\.(\d+)\.blocks\.(\d+)\.fuse(\d+)\.from(\d+)\.(conv|norm)(\d*)\.(.*)", _hrnet_fuse),
    Rule(r"head\.widen(\d+)\.(.*)", lambda m: f"incre_modules.{m[1]}.0.{_resnet(m[2])}"),
    Rule(r"head\.down(\d+)\.conv\.(.*)", lambda m: f"downsamp_modules.{int(m[1]) - 1}.0.{m[2]}"),
    Rule(r"head\.down(\d+)\.norm\.(.*)", lambda m: f"downsamp_modules.{int(m[1]) - 1}.1.{m[2]}"),
    Rule(r"head\.final\.conv\.(.*)", r"final_layer.0.\1"),
    Rule(r"head\.final\.norm\.(.*)", r"final_layer.1.\1"),
    Rule(r"head\.fc\.(.*)", r"classifier.\1"),
]

FAMILIES: dict[str, list[Rule]] = {"PVTv2": PVT_V2, "Swin": SWIN, "DaViT": DAVIT, "HRNet": HRNET}
HEADS = {
    "PVTv2": ("head.",),
    "Swin": ("norm.", "head."),
    "DaViT": ("head.",),
    "HRNet": ("incre_modules.", "downsamp_modules.", "final_layer.", "classifier."),
}
"""How the names of timm's tensors behind the last stage begin."""
