"""Recipe: how a network is trained to tell classes, as data. No torch is needed to read, check or compare one."""

from __future__ import annotations

from pydantic import Field

from ..schema import Size
from .augmentation import Augmentation
from .plan import Plan


class Recipe(Plan):
    """A training recipe; the defaults are those of HIRI-ViT's on ImageNet, and where it gives none, DeiT's or ours."""

    resolution: Size | None = Field(
        None, description="Image size in pixels: a side, or [height, width]; null: the network's own."
    )
    augmentation: Augmentation = Field(Augmentation(), description="See below.")
