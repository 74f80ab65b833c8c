"""The modules of attention.

Shape legend: B batch, C channels, H height, W width, h heads, d head width, N positions, w window, n windows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from timm.layers import trunc_normal_
from torch import Tensor, nn

from .sizes import is_open


class DotProductAttention(nn.Module):
    """softmax(q kᵀ / √d) v over the positions of (B, C, H, W) maps, per head."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        height, width = query.shape[-2:]
        # (B, C, H, W) -> (B, N, C) -> (B, h, N, d). Contiguous positions (free in channels-last) keep torch on its
        # fused kernel; from strided ones it falls back to the unfused products, measured 4.6 times slower on CPU.
        per_head = [
            x.flatten(2).transpose(1, 2).contiguous().unflatten(2, (self.heads, -1)).transpose(1, 2)
            for x in (query, key, value)
        ]
        out = F.scaled_dot_product_attention(*per_head)
        return out.transpose(1, 2).flatten(2).transpose(1, 2).unflatten(2, (height, width))

    def extra_repr(self) -> str:
        return f"heads={self.heads}"


class WindowAttention(nn.Module):
    """Attention within windows of (B, C, H, W) maps whose sides are multiples of the window."""

    relative_position: Tensor

    def __init__(self, heads: int, window: int, *, has_bias: bool, is_shifted: bool) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.is_shifted = is_shifted
        self.bias = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads)) if has_bias else None
        if self.bias is not None:
            trunc_normal_(self.bias, std=0.02)
            self.register_buffer("relative_position", relative_positions(window), persistent=False)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        height, width = query.shape[-2:]
        down, across = height // self.window, width // self.window
        query, key, value = (self._split(x, down, across) for x in (query, key, value))
        mask = self._mask(down, across, query)
        if mask is not None and mask.ndim == 4:  # a mask for each window: (B n, h, w², d) -> (B, n, h, w², d)
            query, key, value = (x.unflatten(0, (-1, down * across)) for x in (query, key, value))
        if query.ndim == 5 and torch.compiler.is_exporting():  # written out: ONNX has no attention of five dimensions
            scores = query * query.shape[-1] ** -0.5 @ key.transpose(-2, -1) + mask
            out = scores.softmax(-1) @ value
        else:
            out = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self._join(out.flatten(0, -4), down, across)

    def _split(self, x: Tensor, down: int, across: int) -> Tensor:
        """(B, C, H, W) → (B n, h, w², d)."""
        batch, channels = x.shape[:2]
        x = x.reshape(batch, self.heads, channels // self.heads, down, self.window, across, self.window)
        x = x.permute(0, 3, 5, 1, 4, 6, 2)
        return x.reshape(batch * down * across, self.heads, self.window**2, channels // self.heads)

    def _join(self, x: Tensor, down: int, across: int) -> Tensor:
        """(B n, h, w², d) → (B, C, H, W)."""
        width = x.shape[-1]
        x = x.reshape(-1, down, across, self.heads, self.window, self.window, width).permute(0, 3, 6, 1, 4, 2, 5)
        return x.reshape(-1, self.heads * width, down * self.window, across * self.window)

    def _mask(self, down: int, across: int, like: Tensor) -> Tensor | None:
        """What is added to the scores: (h, w², w²), or (n, h, w², w²) if windows differ, or nothing."""
        bias = None
        if self.bias is not None:
            bias = self.bias[self.relative_position].permute(2, 0, 1)
        # open counts are not asked: the barrier in a single window is empty
        if not self.is_shifted or (not is_open(down, across) and max(down, across) == 1):
            return bias
        apart = apart_in_rolled_windows(down, across, self.window, like.device)
        barrier = torch.zeros(apart.shape, dtype=like.dtype, device=like.device).masked_fill_(apart, -torch.inf)
        return barrier.unsqueeze(1) if bias is None else bias + barrier.unsqueeze(1)

    def extra_repr(self) -> str:
        return f"heads={self.heads}, window={self.window}, is_shifted={self.is_shifted}"


def relative_positions(window: int) -> Tensor:
    """For each two positions of a window, the row of the bias table for their offset: (w², w²)."""
    place = torch.arange(window)
    offset = place[:, None] - place[None, :] + window - 1
    rows = offset[:, None, :, None] * (2 * window - 1) + offset[None, :, None, :]
    return rows.reshape(window**2, window**2)


def apart_in_rolled_windows(down: int, across: int, window: int, device: torch.device) -> Tensor:
    """Whether two positions of a window come from different ends of a map rolled by half a window: (n, w², w²)."""

    def regions(count: int) -> Tensor:
        """Which end each position of a row of windows comes from: (count, w). A single window is not rolled."""
        number = torch.arange(count, device=device)
        is_late = torch.arange(window, device=device) >= window - window // 2
        return (((number == count - 1) & (number > 0))[:, None] & is_late).long()

    region = regions(down)[:, None, :, None] * 2 + regions(across)[None, :, None, :]
    region = region.reshape(down * across, window**2)
    return region[:, :, None] != region[:, None, :]


class ChannelAttention(nn.Module):
    """softmax(k vᵀ / √d) q of (B, C, H, W) maps: each head's channels attend to one another."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        # (B, C, H, W) -> (B, h, d, N). Written out, as no fused kernel takes heads as wide as a map has positions.
        query_, key_, value_ = (x.flatten(2).unflatten(1, (self.heads, -1)) for x in (query, key, value))
        scores = key_ @ value_.transpose(-2, -1) * key_.shape[2] ** -0.5
        return (scores.softmax(-1) @ query_).reshape(query.shape)

    def extra_repr(self) -> str:
        return f"heads={self.heads}"
