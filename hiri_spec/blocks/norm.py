"""A norm by itself, such as the one that ends each stage of PVTv2 (Wang et al. 2022)."""

from typing import Literal

from pydantic import Field

from ..block import Block, Norm, Positive, register
from ..feature_map import FeatureMap


@register
class Normalise(Block):
    """Nothing but a norm, to stand behind the blocks of a stage."""

    block: Literal["norm"] = "norm"
    depth: Positive = Field(1, description="How many norms follow one another.")
    norm: Norm = "layer"

    def wire(self, x: FeatureMap) -> FeatureMap:
        return x.norm(self.norm, name="norm")
