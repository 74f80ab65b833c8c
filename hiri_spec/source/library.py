"""The small classes and functions that written files are made of.

Those that this project computes with itself are taken from its own files word for word, so that there is no second
version of them; those that it takes from timm are written here.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

WRITTEN = (
    '''class Chain(nn.Module):
    """Named layers, each of which takes what the one before it gives."""

    def __init__(self, /, **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        for layer in self.children():
            x = layer(x)
        return x
''',
    '''class LayerNorm(nn.LayerNorm):
    """Over the channels of each position of a (B, C, H, W) map, or of a (B, C) vector."""

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__(channels, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 2:
            return super().forward(x)
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
''',
    '''class LayerScale(nn.Module):
    """A learned scale for each channel of a (B, C, H, W) map."""

    def __init__(self, channels: int, initial: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels,), float(initial)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma.view(1, -1, 1, 1)
''',
    '''class DropPath(nn.Module):
    """Stochastic depth: in training, drop a branch for some images and scale it up for the others."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        keep = x.new_empty(x.shape[0], *[1] * (x.ndim - 1)).bernoulli_(1 - self.rate)
        return x * (keep / (1 - self.rate) if self.rate < 1 else keep)

    def extra_repr(self) -> str:
        return f"rate={self.rate:.3f}"
''',
)
TAKEN = ("sizes.py", "attention.py", "resampling.py", "initialise.py")
_FOLDER = Path(__file__).resolve().parent.parent / "nn"


@cache
def library() -> dict[str, str]:
    """Source text of every class and function by name, in the order in which they are written."""
    texts = {_definitions(text)[0].name: text for text in WRITTEN}
    for name in TAKEN:
        text = (_FOLDER / name).read_text(encoding="utf-8")
        for definition in _definitions(text):
            first = min(each.lineno for each in (definition, *definition.decorator_list))
            lines = text.splitlines(keepends=True)[first - 1 : definition.end_lineno]
            texts[definition.name] = "".join(lines)
    return texts


def _definitions(text: str) -> list[ast.ClassDef | ast.FunctionDef]:
    return [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef | ast.FunctionDef)]


def names_in(text: str) -> set[str]:
    """Every name that a text mentions."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def needed(text: str) -> list[str]:
    """The definitions that a text needs, and those that they need themselves."""
    known = library()
    wanted: set[str] = set()
    fresh = names_in(text) & known.keys()
    while fresh:
        wanted |= fresh
        fresh = {name for found in fresh for name in names_in(known[found])} & known.keys() - wanted
    return [known[name] for name in known if name in wanted]


def imports(text: str) -> str:
    """The import lines that a text needs: torch's."""
    used = names_in(text)
    lines = ["import torch"] if "torch" in used else []
    lines += ["import torch.nn.functional as F"] if "F" in used else []
    lines += [f"from torch import {', '.join(name for name in ('Tensor', 'nn') if name in used)}"]
    lines += ["from torch.nn.init import trunc_normal_"] if "trunc_normal_" in used else []
    return "\n".join(lines) + "\n"
