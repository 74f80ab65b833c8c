"""Classifier head: norm, global average pooling, linear layer."""

from typing import Literal

from pydantic import Field

from ..block import Head, Norm, register
from ..feature_map import FeatureMap


@register
class Classifier(Head):
    """Norm, global average pooling, dropout, linear."""

    head: Literal["classifier"] = "classifier"
    norm: Norm = "batch"
    drop_rate: float = Field(0, ge=0, lt=1, description="Dropout before the linear layer.")

    def wire(self, x: FeatureMap) -> FeatureMap:
        x = x.norm(self.norm, name="norm").global_pool(name="pool")
        if self.drop_rate:
            x = x.dropout(name="dropout")
        return x.linear(self.classes, name="fc")
