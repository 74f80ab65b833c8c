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
    """One of several tensors that timm keeps in one, along the first dimension."""
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

FAMILIES: dict[str, list[Rule]] = {"PVTv2": PVT_V2, "Swin": SWIN, "DaViT": DAVIT}
